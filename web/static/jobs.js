// Keeps the part of a page that tells of jobs up to date, from server-sent events. Without it, loading the page again does.

const AGAIN_MS = 5000;
let pressed = false;
const waiting = new Map();

// A button that is replaced between press and release would swallow the click.
addEventListener("pointerdown", () => { pressed = true; });
for (const name of ["pointerup", "pointercancel"]) {
  addEventListener(name, () => setTimeout(() => {
    pressed = false;
    for (const [place, html] of waiting) show(place, html);
    waiting.clear();
  }));
}

function show(place, html) {
  if (pressed) {
    waiting.set(place, html);
    return;
  }
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  const open = [...place.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent);
  place.innerHTML = html; // from this server, where everything foreign in it was escaped
  for (const summary of place.querySelectorAll("details > summary")) {
    summary.parentElement.open = open.includes(summary.textContent);
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  const onward = place.querySelector("a[data-go]");
  if (onward) location.assign(onward.href);
}

function listen(place) {
  let source = null;
  const begin = () => {
    if (document.hidden || source) return;
    source = new EventSource(place.dataset.events);
    source.addEventListener("jobs", (event) => show(place, event.data));
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return; // it asks again by itself
      source = null;
      setTimeout(begin, AGAIN_MS);
    });
  };
  const end = () => {
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : begin()));
  addEventListener("pagehide", end);
  addEventListener("pageshow", begin);
  begin();
}

for (const place of document.querySelectorAll("[data-events]")) listen(place);
