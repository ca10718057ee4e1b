"""The folder that `deixis explain` fills: a picture per word, a sheet of them, the arrays and an index of it all."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from deixis.output import printable
from search.errors import SettingsError
from vision.contact_sheet import Panel, contact_sheet, with_caption
from vision.explanation import Explanation, WordHeat
from vision.overlay_images import overlay, png_bytes
from vision.types import RgbImage

INDEX = "explain.json"
SHEET = "contact.png"
ARRAYS = "arrays.npz"
FORMAT = "deixis-explain-1"

_LONGEST_PX = 1600
_NAME_CHARS = 32


def check(folder: Path) -> None:
    """See before the work begins whether its result may go there.

    Raises:
        SettingsError: the folder is not empty, and no earlier run has written it; or it is no folder.
    """
    _written_before(folder)


def write(folder: Path, name: str, image: RgbImage, explanations: Sequence[Explanation]) -> dict[str, Any]:
    """Write everything, in place of what an earlier run wrote; whatever else lies in the folder stays.

    Args:
        folder: made where it does not exist.
        name: of the picture's file, for the index.
        image: HWC uint8 RGB, upright; written at 1600 px at most.
        explanations: at least one.

    Returns:
        What the index holds.

    Raises:
        SettingsError: the folder is not ours, or a file of somebody else has one of the names, or cannot be written.
    """
    picture = Image.fromarray(image)
    picture.thumbnail((_LONGEST_PX, _LONGEST_PX), Image.Resampling.LANCZOS)
    shown = np.asarray(picture)
    panels: list[Panel] = []
    files: dict[str, bytes] = {}
    listed = []
    for explanation in explanations:
        words = []
        for word in explanation.words:
            panel = _panel(shown, explanation, word, number=len(panels) + 1)
            panels.append(panel)
            file = f"{len(panels):02d}-{explanation.kind}-{_slug(word.text)}.png"
            files[file] = png_bytes(with_caption(panel))
            words.append(_word_entry(word, file))
        listed.append(_entry(explanation, words))
    files[SHEET] = png_bytes(contact_sheet(panels or [Panel(shown, "nothing was written", "", 0)]))
    files[ARRAYS] = _arrays(explanations)
    index = {
        "format": FORMAT,
        "picture": printable(name),
        "width_px": image.shape[1],
        "height_px": image.shape[0],
        "sheet": SHEET,
        "arrays": ARRAYS,
        "explanations": listed,
    }
    _clear(folder)
    # The index first: a run that is cut off leaves a folder that the next one knows as its own.
    _put(folder / INDEX, (json.dumps(index, ensure_ascii=False, indent=2) + "\n").encode())
    for file, data in files.items():
        _put(folder / file, data)
    return index


def _clear(folder: Path) -> None:
    before = _written_before(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in before:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"cannot write to {folder}: {error.strerror}", remedy="Choose another --out.") from error


def _written_before(folder: Path) -> list[str]:
    """The files that an earlier run's index lists, the index last; an index that names other places is not ours."""
    refusal = SettingsError(
        f"{folder} holds files that are not from deixis explain", remedy="Choose a new folder with --out."
    )
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return []
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        names = [word["file"] for entry in index["explanations"] for word in entry["words"]]
        ours = index["format"] == FORMAT and all(Path(name).name == name for name in names)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise refusal from error
    if not ours:
        raise refusal
    return [*names, SHEET, ARRAYS, INDEX]


def _panel(shown: RgbImage, explanation: Explanation, word: WordHeat, *, number: int) -> Panel:
    note = f"{word.scale.low:.3f} to {word.scale.high:.3f}"
    if word.off_picture is not None:
        note += f", {word.off_picture:.0%} off the picture"
    return Panel(overlay(shown, word.heat, word.scale, explanation.covers), word.text, note, number)


def _entry(explanation: Explanation, words: list[dict[str, Any]]) -> dict[str, Any]:
    rows, columns = explanation.words[0].heat.shape if explanation.words else (0, 0)
    return {
        "kind": explanation.kind,
        "text": explanation.text,
        "model": explanation.model,
        "rows": rows,
        "columns": columns,
        "covers": explanation.covers.as_xyxy(),
        "words": words,
    }


def _word_entry(word: WordHeat, file: str) -> dict[str, Any]:
    return {
        "text": word.text,
        "span": [word.span.start, word.span.end],
        "file": file,
        "low": word.scale.low,
        "high": word.scale.high,
        "off_picture": word.off_picture,
        "off_patches": word.off_patches,
    }


def _arrays(explanations: Sequence[Explanation]) -> bytes:
    """An `.npz` file with one array `(words, rows, columns)` float32 for each kind of explanation."""
    arrays: dict[str, Any] = {
        explanation.kind: np.stack([word.heat for word in explanation.words])
        for explanation in explanations
        if explanation.words
    }
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def _slug(text: str) -> str:
    """Letters and digits of any script, the rest as hyphens: a name for every file system."""
    letters = "".join(char if char.isalnum() else "-" for char in text.casefold())
    return "-".join(part for part in letters.split("-") if part)[:_NAME_CHARS].strip("-") or "word"


def _put(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise SettingsError(
            f"{path} is there and not ours", remedy="Move it away, or choose a new folder with --out."
        ) from error
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}", remedy="Choose another --out.") from error
