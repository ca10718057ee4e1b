// The list under the search box: htmx fills it, this moves through it. A combobox after the ARIA Authoring Practices.

const field = document.getElementById("q");
const list = document.getElementById("suggestions");

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => options().findIndex((option) => option.getAttribute("aria-selected") === "true");

function open(isOpen) {
  list.hidden = !isOpen;
  field.setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) choose(-1);
}

function choose(place) {
  options().forEach((option, number) => option.setAttribute("aria-selected", String(number === place)));
  const option = options()[place];
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

function take(option) {
  field.value = option.dataset.query;
  open(false);
  field.form.requestSubmit();
}

function onKey(event) {
  const count = options().length;
  if (list.hidden || !count) return;
  if (event.key === "ArrowDown") choose((chosen() + 1) % count);
  else if (event.key === "ArrowUp") choose(chosen() > 0 ? chosen() - 1 : count - 1);
  else if (event.key === "Enter" && chosen() >= 0) take(options()[chosen()]);
  else if (event.key === "Escape") open(false);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

export function watchSuggestions() {
  if (!field || !list) return;
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");
  field.addEventListener("keydown", onKey);
  field.addEventListener("blur", () => open(false));
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target === list) open(options().length > 0 && document.activeElement === field);
  });
  // Before the field loses the focus, which would close the list under the pointer.
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}
