// Buttons that copy a text, or open a dialog.
import { said } from "./dom.js";

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without https the clipboard is closed to scripts; a selection can still be copied.
    const field = document.createElement("textarea");
    field.value = text;
    button.after(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    button.focus();
  }
  button.textContent = said("copied");
}

export function watchCopies() {
  document.addEventListener("click", (event) => {
    const copies = event.target.closest?.("[data-copy]");
    if (copies) copy(copies);
    const opens = event.target.closest?.("[data-opens]");
    if (opens) document.getElementById(opens.dataset.opens)?.showModal();
    event.target.closest?.("[data-shuts]")?.closest("dialog").close();
  });
}
