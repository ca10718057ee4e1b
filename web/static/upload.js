// Pictures to search with: chosen, pasted, dropped or photographed; each may be cut to a part.
import { choose } from "./crop.js";
import { element, said } from "./dom.js";

const MOST = 8;
const form = document.getElementById("upload");
const field = document.getElementById("image");
const previews = document.getElementById("upload-previews");
let shown = [];

function add(files) {
  const pictures = [...files].filter((file) => file.type.startsWith("image/") || !file.type);
  if (!form || !pictures.length) return;
  set([...field.files, ...pictures].slice(0, MOST));
  form.closest("details").open = true;
  document.getElementById("image-words").focus();
}

function set(files) {
  const held = new DataTransfer();
  for (const file of files) held.items.add(file);
  field.files = held.files;
  show();
}

function show() {
  for (const address of shown) URL.revokeObjectURL(address);
  shown = [];
  previews.replaceChildren(...[...field.files].slice(0, MOST).map(preview));
  const typed = document.getElementById("crop-field");
  typed.hidden = field.files.length > 0;
  typed.querySelector("input").disabled = field.files.length > 0;
}

function preview(file, place) {
  const address = URL.createObjectURL(file);
  shown.push(address);
  const box = element("div");
  const holder = element("div", { class: "choosable" });
  const picture = element("img", { src: address, alt: `${said("chosen")}: ${file.name}` });
  const part = element("input", { type: "hidden", name: "crop", value: "" });
  const cut = element("button", { type: "button", class: "plain" }, said("part"));
  const drop = element("button", { type: "button", class: "plain", "aria-label": `${said("remove")}: ${file.name}` }, "×");
  picture.addEventListener("error", () => {
    picture.remove(); // a format that the server reads and the browser does not: only whole
    cut.remove();
    box.prepend(element("span", {}, file.name));
  });
  cut.addEventListener("click", () => {
    if (part.value) {
      part.value = "";
      cut.textContent = said("part");
    } else if (!holder.querySelector(".choosing")) {
      choose(holder, (chosen) => {
        part.value = chosen ?? "";
        cut.textContent = chosen ? `${said("whole")} (${chosen})` : said("part");
        cut.focus();
      });
    }
  });
  drop.addEventListener("click", () => set([...field.files].filter((_, number) => number !== place)));
  holder.append(picture);
  box.append(holder, part, cut, drop);
  return box;
}

function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

export function watchUploads() {
  if (!form) return;
  field.addEventListener("change", show);
  document.getElementById("camera")?.addEventListener("change", (event) => add(event.target.files));
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) add(event.clipboardData.files);
  });
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    document.body.classList.remove("dropping");
    if (!hasFiles(event)) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
  // What is still being chosen counts as chosen.
  form.addEventListener("submit", () => {
    for (const layer of previews.querySelectorAll(".choosing")) {
      layer.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    }
  });
}
