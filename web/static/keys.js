// Keys of the pages; the list of them is in templates/_dialogs.html. Single signs can be switched off (WCAG 2.1.4).
import { isTyping } from "./dom.js";
import { isOpen, openPicture, step } from "./viewer.js";
import { zoomOf } from "./zoom.js";

const SWITCH = "deixis-single-keys";
const PAN_PX = 60;
const help = document.getElementById("help-dialog");
const toggle = document.getElementById("single-keys");

const frames = () => [...document.querySelectorAll("main .gallery .frame")];

function focusFrame(frame) {
  frame?.focus();
  frame?.scrollIntoView({ block: "nearest" });
  return Boolean(frame);
}

/** The tile above or below whose middle is nearest; rows are told apart by where tiles begin. */
function across(current, down) {
  const own = current.getBoundingClientRect();
  const middle = own.left + own.width / 2;
  const others = frames()
    .map((frame) => ({ frame, box: frame.getBoundingClientRect() }))
    .filter(({ box }) => (down ? box.top >= own.bottom - 1 : box.bottom <= own.top + 1));
  const edge = down ? Math.min(...others.map(({ box }) => box.top)) : Math.max(...others.map(({ box }) => box.bottom));
  const row = others.filter(({ box }) => Math.abs((down ? box.top : box.bottom) - edge) < 40);
  row.sort((a, b) => Math.abs(a.box.left + a.box.width / 2 - middle) - Math.abs(b.box.left + b.box.width / 2 - middle));
  return row[0]?.frame;
}

function moveAmongResults(key) {
  const all = frames();
  const at = all.indexOf(document.activeElement);
  if (at < 0) {
    const nowhere = document.activeElement === document.body || document.activeElement?.id === "main";
    return key === "ArrowRight" && nowhere && focusFrame(all[0]);
  }
  if (key === "ArrowRight") return focusFrame(all[at + 1]);
  if (key === "ArrowLeft") return focusFrame(all[at - 1]);
  return focusFrame(across(all[at], key === "ArrowDown"));
}

function moveInPicture(article, key) {
  const zoom = zoomOf(article);
  if (zoom?.isZoomed) {
    zoom.pan(PAN_PX * ((key === "ArrowRight") - (key === "ArrowLeft")), PAN_PX * ((key === "ArrowDown") - (key === "ArrowUp")));
    return true;
  }
  const side = { ArrowLeft: "prev", ArrowRight: "next" }[key];
  const link = side && article.querySelector(`.steps [rel=${side}]`);
  if (link) step(link.href);
  return Boolean(link);
}

function switchBoxes(article) {
  if (!article) return document.body.classList.toggle("no-boxes"), true;
  const none = article.querySelector("#boxes-none");
  const other = article.querySelector("#boxes-query") ?? article.querySelector("#boxes-all");
  if (none) (none.checked ? other : none).checked = true;
  return Boolean(none);
}

function similar(article) {
  const address = article?.dataset.similar ?? document.activeElement?.closest?.(".tile")?.querySelector(".similar")?.href;
  if (address) location.assign(address);
  return Boolean(address);
}

const ZOOMS = { "+": "in", "=": "in", "-": "out", 0: "whole" };

/** What a single sign does; true where it did something. */
function onSign(key, article) {
  if (key === "/" && !isOpen()) {
    const field = document.getElementById("q");
    field?.focus();
    field?.select();
    return Boolean(field);
  }
  if (key === "?") return help?.showModal(), true;
  if (key === "b") return switchBoxes(article);
  if (key === "s") return similar(article);
  if (key === "m" && !article) return document.querySelector(".load-more")?.click(), true;
  if (key === "c" && article) return article.querySelector("[data-crop]")?.click(), true;
  if (ZOOMS[key] && article) return zoomOf(article)?.press(ZOOMS[key]), true;
  return false;
}

/** Close what hangs open in the page; dialogs close by themselves. */
function onEscape(target) {
  const why = document.querySelector("details.why[open], details.ask-picture[open]");
  if (!why || isOpen()) {
    if (target.id === "q") target.blur();
    return false;
  }
  why.open = false;
  why.querySelector("summary").focus();
  return true;
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help?.open) return;
  const article = openPicture();
  const { key, target } = event;
  let done = false;
  if (key === "Escape") done = onEscape(target);
  else if (isTyping(target)) {
    if (key === "ArrowDown" && target.id === "q") done = focusFrame(frames()[0]);
  } else if (key.startsWith("Arrow") && !target.matches("[type=radio], [role=option]")) {
    done = article && (isOpen() || !target.closest(".gallery")) ? moveInPicture(article, key) : moveAmongResults(key);
  } else if (key.length === 1 && toggle?.checked) done = onSign(key, article);
  if (done) event.preventDefault();
}

export function watchKeys() {
  try {
    if (toggle) toggle.checked = localStorage.getItem(SWITCH) !== "off";
    toggle?.addEventListener("change", () => localStorage.setItem(SWITCH, toggle.checked ? "on" : "off"));
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
  document.addEventListener("keydown", onKey);
}
