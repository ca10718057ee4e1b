// A picture as a dialog over its results, with its own address: going back closes it.
import { isPlainClick, said } from "./dom.js";
import { attachCrops } from "./crop.js";
import { attachZoom } from "./zoom.js";

const dialog = document.getElementById("viewer-dialog");
const body = document.getElementById("viewer-body");
const hint = dialog?.querySelector(".viewer-hint");
let results = { title: document.title, scrolled: 0 };
let asked = null;

/** The article of the picture that is open, in the dialog or as the page itself. */
export function openPicture() {
  return dialog?.open ? body.querySelector(".viewer") : document.querySelector("main .viewer");
}

/** Whether the dialog is open. */
export function isOpen() {
  return Boolean(dialog?.open);
}

/** Go to another picture of the same search, or load this one again with something more. */
export function step(address) {
  if (!isOpen()) location.assign(address);
  else load(address, "replace");
}

/** Close the dialog by going back to where it was opened. */
export function close() {
  history.back();
}

async function load(address, how) {
  asked?.abort();
  asked = new AbortController();
  hint.textContent = said("loading");
  let page;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: asked.signal });
    // Parsed apart from this document: whatever it holds, no script of it runs.
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
    return;
  }
  const article = page.querySelector("main .viewer, main .nothing");
  if (!article) return location.assign(address);
  show(document.adoptNode(article), address, how);
}

function show(article, address, how) {
  if (!dialog.open) {
    results = { title: document.title, scrolled: scrollY };
    dialog.showModal();
  }
  body.replaceChildren(article);
  dialog.scrollTop = 0;
  hint.textContent = "";
  document.title = article.dataset.title ?? results.title;
  dialog.setAttribute("aria-label", article.querySelector("h1")?.textContent ?? document.title);
  if (how === "push") history.pushState({ viewer: address }, "", address);
  if (how === "replace") history.replaceState({ viewer: address }, "", address);
  window.htmx?.process(article);
  attachZoom(article);
  attachCrops(article);
  body.focus({ preventScroll: true });
}

function leave() {
  const id = body.querySelector(".viewer")?.dataset.image;
  asked?.abort();
  dialog.close();
  body.replaceChildren();
  document.title = results.title;
  scrollTo(0, results.scrolled);
  const tile = document.querySelector(`main .frame[href*="/images/${id}?"], main .frame[href$="/images/${id}"]`);
  tile?.focus({ preventScroll: true });
}

function onClick(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || !isPlainClick(event)) return;
  const inside = dialog.contains(link);
  if (link.matches("a.frame")) load(link.href, inside ? "replace" : "push");
  else if (inside && link.matches(".steps a, a[data-reloads]")) step(link.href);
  else if (inside && link.matches(".back a")) close();
  else return;
  event.preventDefault();
}

function onSubmit(event) {
  const form = event.target;
  if (!dialog.contains(form) || !form.matches("[data-reloads]")) return;
  event.preventDefault();
  step(`${form.action}?${new URLSearchParams(new FormData(form))}`);
}

export function watchViewer() {
  const article = document.querySelector("main .viewer");
  if (article) {
    attachZoom(article);
    attachCrops(article);
  }
  if (!dialog) return;
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.querySelector("[data-closes]").addEventListener("click", close);
  addEventListener("popstate", (event) => {
    if (event.state?.viewer) load(event.state.viewer, "");
    else if (dialog.open) leave();
  });
}
