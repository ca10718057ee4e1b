// A closer look at a picture: wheel, pinch, buttons, keys and double click enlarge it, dragging moves it.
import { between } from "./dom.js";

const LARGEST = 12;
const STEP = 1.4;

class Zoom {
  constructor(frame, stage) {
    Object.assign(this, { frame, stage, scale: 1, x: 0, y: 0, fingers: new Map() });
    frame.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    frame.addEventListener("dblclick", (event) => this.onDoubleClick(event));
    frame.addEventListener("pointerdown", (event) => this.onDown(event));
    frame.addEventListener("pointermove", (event) => this.onMove(event));
    for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, (event) => this.onUp(event));
    // A press on the picture would begin to drag it away as a file.
    stage.addEventListener("dragstart", (event) => event.preventDefault());
  }

  get isZoomed() {
    return this.scale > 1;
  }

  /** Enlarge about a point of the frame, its middle if none is given. */
  by(factor, at = { x: this.frame.clientWidth / 2, y: this.frame.clientHeight / 2 }) {
    const scale = between(1, this.scale * factor, LARGEST);
    const grown = scale / this.scale;
    this.scale = scale;
    this.moveTo(at.x - (at.x - this.x) * grown, at.y - (at.y - this.y) * grown);
  }

  whole() {
    this.scale = 1;
    this.moveTo(0, 0);
  }

  pan(right, down) {
    this.moveTo(this.x - right, this.y - down);
  }

  moveTo(x, y) {
    const { offsetWidth: width, offsetHeight: height, offsetLeft: left } = this.stage;
    this.x = between(width * (1 - this.scale) - left * (this.scale - 1), x, left * (this.scale - 1));
    this.y = between(height * (1 - this.scale), y, 0);
    this.stage.style.transform = this.isZoomed ? `translate(${this.x}px, ${this.y}px) scale(${this.scale})` : "";
    this.frame.classList.toggle("zoomed", this.isZoomed);
  }

  place(event) {
    const box = this.frame.getBoundingClientRect();
    return { x: event.clientX - box.left - this.stage.offsetLeft, y: event.clientY - box.top };
  }

  onWheel(event) {
    if (event.deltaY > 0 && !this.isZoomed) return; // the page scrolls on
    event.preventDefault();
    this.by(Math.exp(-event.deltaY / (event.deltaMode ? 20 : 400)), this.place(event));
  }

  onDoubleClick(event) {
    if (this.isZoomed) this.whole();
    else this.by(2.5, this.place(event));
  }

  onDown(event) {
    if (event.target.closest(".choosing, a, button")) return;
    this.fingers.set(event.pointerId, this.place(event));
    if (this.isZoomed || this.fingers.size > 1) this.frame.setPointerCapture(event.pointerId);
  }

  onMove(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = this.place(event);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.fingers.set(event.pointerId, now);
    if (other) {
      const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
      this.by(apart(now) / apart(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    } else if (this.isZoomed) this.pan(before.x - now.x, before.y - now.y);
  }

  onUp(event) {
    this.fingers.delete(event.pointerId);
  }

  press(name) {
    if (name === "whole") this.whole();
    else this.by(name === "in" ? STEP : 1 / STEP);
  }
}

const zooms = new WeakMap();

/** The zoom of a picture's article, if it has one. */
export function zoomOf(article) {
  return article ? zooms.get(article) : undefined;
}

export function attachZoom(article) {
  const frame = article.querySelector(".stage-frame");
  if (!frame || zooms.has(article)) return;
  const zoom = new Zoom(frame, frame.querySelector(".stage"));
  zooms.set(article, zoom);
  article.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) zoom.press(button.dataset.zoom);
  });
}
