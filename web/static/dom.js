// Small things that the other files share.

/** A sentence that the page brought along in the reader's language. */
export function said(name) {
  return document.getElementById("script-words")?.dataset[name] ?? "";
}

/** An element with attributes; text only, so that nothing foreign is ever read as markup. */
export function element(tag, attributes = {}, text = "") {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
}

/** Whether keys belong to what is focused. */
export function isTyping(target) {
  return target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") ?? false;
}

/** A click that means "open here". */
export function isPlainClick(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

/** The value within two limits. */
export function between(low, value, high) {
  return Math.min(high, Math.max(low, value));
}
