// What a script adds to pages that work without one: suggestions, the picture as a dialog, zoom, parts, keys.
import { watchCopies } from "./copy.js";
import { watchKeys } from "./keys.js";
import { watchMore } from "./more.js";
import { watchSuggestions } from "./suggest.js";
import { watchUploads } from "./upload.js";
import { watchViewer } from "./viewer.js";

document.documentElement.classList.add("scripts");
watchSuggestions();
watchUploads();
watchMore();
watchViewer();
watchCopies();
watchKeys();
