// A part of a picture, drawn with mouse or finger, or moved and sized with the arrows.
import { between, element, said } from "./dom.js";
import { zoomOf } from "./zoom.js";

const STEP = 0.02;
const SMALLEST = 0.02;
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

/** A frame over `holder`; `ended(part)` is told "left,top,right,bottom" in shares of its sides, or null if given up. */
class Choosing {
  constructor(holder, ended) {
    this.ended = ended;
    this.box = { x0: 0.25, y0: 0.25, x1: 0.75, y1: 0.75 };
    this.layer = element("div", { class: "choosing", tabindex: "0", role: "application", "aria-label": said("frame") });
    this.part = element("div", { class: "part" });
    this.layer.append(this.part);
    this.layer.addEventListener("pointerdown", (event) => this.onDown(event));
    this.layer.addEventListener("keydown", (event) => this.onKey(event));
    holder.append(this.layer);
    this.draw();
    this.layer.focus();
  }

  get value() {
    const { x0, y0, x1, y1 } = this.box;
    return [x0, y0, x1, y1].map((side) => side.toFixed(4)).join(",");
  }

  draw() {
    const { x0, y0, x1, y1 } = this.box;
    const sides = { left: x0, top: y0, width: x1 - x0, height: y1 - y0 };
    for (const [name, share] of Object.entries(sides)) this.part.style[name] = `${share * 100}%`;
  }

  place(event) {
    const area = this.layer.getBoundingClientRect();
    return {
      x: between(0, (event.clientX - area.left) / area.width, 1),
      y: between(0, (event.clientY - area.top) / area.height, 1),
    };
  }

  onDown(event) {
    event.preventDefault();
    event.stopPropagation();
    this.layer.focus();
    this.layer.setPointerCapture(event.pointerId);
    const from = this.place(event);
    const start = event.target === this.part ? { ...this.box } : null;
    const move = (later) => {
      const to = this.place(later);
      if (start) this.shift(start, to.x - from.x, to.y - from.y);
      else this.between(from, to);
    };
    const end = () => {
      this.layer.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) this.layer.removeEventListener(name, end);
    };
    this.layer.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.layer.addEventListener(name, end);
  }

  between(from, to) {
    const x0 = Math.min(from.x, to.x, 1 - SMALLEST);
    const y0 = Math.min(from.y, to.y, 1 - SMALLEST);
    this.box = { x0, y0, x1: Math.max(from.x, to.x, x0 + SMALLEST), y1: Math.max(from.y, to.y, y0 + SMALLEST) };
    this.draw();
  }

  shift(box, right, down) {
    const dx = between(-box.x0, right, 1 - box.x1);
    const dy = between(-box.y0, down, 1 - box.y1);
    this.box = { x0: box.x0 + dx, y0: box.y0 + dy, x1: box.x1 + dx, y1: box.y1 + dy };
    this.draw();
  }

  onKey(event) {
    const arrow = ARROWS[event.key];
    if (arrow && event.shiftKey) {
      this.box.x1 = between(this.box.x0 + SMALLEST, this.box.x1 + arrow[0], 1);
      this.box.y1 = between(this.box.y0 + SMALLEST, this.box.y1 + arrow[1], 1);
      this.draw();
    } else if (arrow) this.shift(this.box, ...arrow);
    else if (event.key === "Enter") this.end(this.value);
    else if (event.key === "Escape") this.end(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  end(value) {
    this.layer.remove();
    this.ended(value);
  }
}

/** Let a part of what `holder` shows be chosen. */
export function choose(holder, ended) {
  return new Choosing(holder, ended);
}

function searchWithPart(article, button) {
  if (article.querySelector(".choosing")) return;
  zoomOf(article)?.whole();
  const bar = element("div", { class: "choosing-bar" });
  const words = element("input", { type: "text", placeholder: said("words"), "aria-label": said("words"), maxlength: "1000" });
  const search = element("button", { type: "button", class: "plain" }, said("search"));
  const cancel = element("button", { type: "button", class: "plain" }, said("cancel"));
  bar.append(words, search, cancel);
  const choosing = choose(article.querySelector(".stage"), (part) => {
    bar.remove();
    button.focus();
    if (part) location.assign(`${button.dataset.crop}&${new URLSearchParams({ crop: part, ...(words.value && { q: words.value }) })}`);
  });
  search.addEventListener("click", () => choosing.end(choosing.value));
  cancel.addEventListener("click", () => choosing.end(null));
  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter") choosing.end(choosing.value);
  });
  button.closest(".tools").after(bar);
}

export function attachCrops(article) {
  const button = article.querySelector("[data-crop]");
  button?.addEventListener("click", () => searchWithPart(article, button));
}
