"""Flickr30k Entities (Plummer et al., 2015): sentences with marked phrases, an XML file of boxes a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from indexer.annotations.reading import read_file
from indexer.annotations.records import Annotations, clean_text, fold, shown, skipping
from indexer.layouts.grounded import GroundedPhrase, GroundedSet, inside
from search.errors import ImportFormatError
from vision.geometry import xyxy_px_to_box
from vision.types import Box

SENTENCES, ANNOTATIONS = "Sentences", "Annotations"
ALL = "all"

_MARKED = re.compile(r"\[/EN#(\d{1,18})(?:/[^\s/\[\]]+)+\s+([^\[\]]+)\]")
_MOST_BYTES = 4 * 1024 * 1024
"""A file about one picture has a few thousand."""


def read_entities(folder: Path, ids: Sequence[Path] = ()) -> GroundedSet:
    """Read the phrases of some pictures, or of all.

    Args:
        folder: holds `Sentences` and `Annotations`.
        ids: text files, a picture id a line; each is a split, named like the file.

    Raises:
        ImportFormatError: there is no such folder or file, or no phrase with a box in it.
    """
    found, notes = GroundedSet(), Annotations()
    for split, pictures in _splits(folder, ids).items():
        for picture in pictures:
            with skipping(notes, f"{split}: {shown(picture)}"):
                _read_picture(found, notes, folder, split, picture)
    if not found.phrases:
        first = notes.skipped[0] if notes.skipped else None
        reason = f": {first.where}: {first.reason}" if first else ""
        raise ImportFormatError(
            f"{folder}: no phrase with a box in it{reason}",
            remedy=f"Name the folder that holds {SENTENCES} and {ANNOTATIONS}.",
        )
    found.skipped = notes.skipped
    return found


def _splits(folder: Path, ids: Sequence[Path]) -> dict[str, list[str]]:
    if ids:
        return {path.stem: list(dict.fromkeys(_text(path).split())) for path in ids}
    try:
        return {ALL: sorted(path.stem for path in (folder / SENTENCES).iterdir() if path.suffix == ".txt")}
    except OSError as error:
        raise ImportFormatError(
            f"{folder / SENTENCES}: {error.strerror}",
            remedy=f"Name the folder that holds {SENTENCES} and {ANNOTATIONS}.",
        ) from error


def _read_picture(found: GroundedSet, notes: Annotations, folder: Path, split: str, picture: str) -> None:
    if "/" in inside(picture, "the id") or "\\" in picture:
        raise ImportFormatError("an id is no path")
    drawn = _read_boxes(folder / ANNOTATIONS / f"{picture}.xml")
    lines = _text(folder / SENTENCES / f"{picture}.txt").splitlines()
    for number, line in enumerate(lines, start=1):
        where = f"{picture}.txt:{number}"
        with skipping(notes, where):
            sentence = fold(_MARKED.sub(r"\2", line))
            if "[/EN#" in sentence:
                raise ImportFormatError("a phrase is not marked as [/EN#id/type words]")
            for entity, words in _MARKED.findall(line):
                boxes = drawn.boxes.get(entity, ())
                if not boxes:
                    found.boxless += 1
                    continue
                phrase = clean_text(words, f"{where} phrase")
                one = GroundedPhrase(where, split, f"{picture}.jpg", drawn.size_wh, phrase, sentence, tuple(boxes))
                found.phrases.append(one)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ImportFormatError(f"{path}: larger than {_MOST_BYTES} bytes")
        return read_file(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"{path}: not UTF-8 text (byte {error.start})", remedy="Save it as UTF-8.") from error
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        raise ImportFormatError(f"{path}: {getattr(error, 'strerror', error)}", remedy="Check the path.") from error


@dataclass(slots=True)
class _Drawn:
    """The size of a picture and the boxes of each entity."""

    size_wh: tuple[int, int]
    boxes: dict[str, list[Box]] = field(default_factory=dict)


def _read_boxes(path: Path) -> _Drawn:
    """Corners count from 1, as the set's own reader has it."""
    leaves = _leaves(_text(path), path.name)
    sizes = {name: _number(text, name) for name, text in leaves if name in ("width", "height")}
    if set(sizes) != {"width", "height"} or min(sizes.values()) < 1:
        raise ImportFormatError(f"{path.name}: does not say how large the picture is")
    drawn = _Drawn((sizes["width"], sizes["height"]))
    names: list[str] = []
    corners: dict[str, int] = {}
    for name, text in leaves:
        if name == "object":  # ends here
            if len(corners) == len(_CORNERS):
                box = xyxy_px_to_box([corners[one] - 1 for one in _CORNERS], drawn.size_wh)
                for entity in names:
                    drawn.boxes.setdefault(entity, []).append(box)
            names, corners = [], {}
        elif name == "name":
            names.append(text)
        elif name in _CORNERS:
            corners[name] = _number(text, name)
    return drawn


_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ImportFormatError(f"{what} must be a whole number, got {shown(text)}")
    return int(text)


def _leaves(text: str, name: str) -> list[tuple[str, str]]:
    """Every element of an XML document with its own text, in the order in which they end.

    Raises:
        ImportFormatError: it is no XML, or declares a document type: entities that expand are no boxes.
    """
    parser = expat.ParserCreate()
    found: list[tuple[str, str]] = []
    written: list[list[str]] = []

    def refuse(*_: object) -> None:
        raise ImportFormatError(f"{name}: declares a document type", remedy="The set's own files have none.")

    def start(_element: str, _attributes: object) -> None:
        if len(written) >= 64:
            raise ImportFormatError(f"{name}: nested too deeply")
        written.append([])

    def end(element: str) -> None:
        found.append((element, "".join(written.pop()).strip()))

    def characters(data: str) -> None:
        if written:
            written[-1].append(data)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise ImportFormatError(f"{name}: not XML: {error}") from error
    return found
