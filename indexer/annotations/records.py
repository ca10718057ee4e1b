"""What an annotation file says about one picture, whatever format it was written in."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from indexer.isolate import blames_an_item, words
from indexer.report import SkippedRecord
from search.db.annotations import CaptionFact
from search.db.limits import (
    INT32_MAX,
    MAX_NOTE_CHARS,
    MAX_PATH_BYTES,
    MAX_TEXT_CHARS,
    has_area,
    holdable,
    is_holdable,
    language_tag,
)
from search.errors import ImportFormatError
from vision.errors import GeometryError
from vision.geometry import coco_xywh_to_box
from vision.types import Box, Region, Span

_WHERE_CHARS = 300


@dataclass(slots=True)
class PictureRecord:
    """Captions and regions of one picture.

    Attributes:
        file: name or path as the annotation file gives it.
        size_wh: width and height in pixels as the annotation file gives them; None when it does not.
        loose: regions that belong to no caption.
    """

    file: str
    size_wh: tuple[int, int] | None = None
    captions: list[CaptionFact] = field(default_factory=list)
    loose: list[Region] = field(default_factory=list)


@dataclass(slots=True)
class Annotations:
    """Everything an annotation file holds, by the name it gives to the picture."""

    pictures: dict[str, PictureRecord] = field(default_factory=dict)
    skipped: list[SkippedRecord] = field(default_factory=list)

    def picture(self, file: str, size_wh: tuple[int, int] | None) -> PictureRecord:
        """The record of a picture, made when it is new."""
        record = self.pictures.setdefault(file, PictureRecord(file))
        record.size_wh = record.size_wh or size_wh
        return record

    def skip(self, where: str, code: str, reason: str) -> None:
        """Note a record that cannot be imported."""
        self.skipped.append(SkippedRecord(holdable(where, _WHERE_CHARS), code, holdable(reason, MAX_NOTE_CHARS)))


def clean_text(value: Any, what: str) -> str:
    """A caption or phrase as it is stored: a string, white space folded, no NUL, not empty, not endless.

    Raises:
        ImportFormatError: it is not such a text.
    """
    if not isinstance(value, str):
        raise ImportFormatError(f"{what} must be a string, got {type(value).__name__}")
    text = fold(value)
    if not text:
        raise ImportFormatError(f"{what} is empty")
    if len(text) > MAX_TEXT_CHARS:
        raise ImportFormatError(f"{what} has {len(text)} characters; the limit is {MAX_TEXT_CHARS}")
    if not is_holdable(text):
        raise ImportFormatError(f"{what} is not valid Unicode: it holds half a surrogate pair")
    return text


def file_of(record: Mapping[str, Any], key: str, what: str) -> str:
    """The name or path by which a record names its picture.

    Raises:
        ImportFormatError: it is no text, empty, or longer than any path.
    """
    value = record.get(key)
    if not isinstance(value, str) or not value:
        raise ImportFormatError(f"{what} has no {key}")
    if len(value) > MAX_PATH_BYTES:
        raise ImportFormatError(f"{what} has a {key} of {len(value)} characters; no path is that long")
    return value


def language_of(value: Any, what: str) -> str | None:
    """A language tag, without the last of its parts where it is longer than its column; None for None.

    Raises:
        ImportFormatError: it is no language tag.
    """
    if value is None:
        return None
    tag = language_tag(value) if isinstance(value, str) else None
    if tag is None:
        raise ImportFormatError(f"{what} must be a BCP 47 tag, got {shown(value)}")
    return tag


def mapping(value: Any, what: str) -> Mapping[str, Any]:
    """`value` as a JSON object.

    Raises:
        ImportFormatError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise ImportFormatError(f"{what} must be an object, got {type(value).__name__}")
    return value


def listing(value: Any, what: str) -> list[Any]:
    """`value` as a JSON array.

    Raises:
        ImportFormatError: it is something else.
    """
    if not isinstance(value, list):
        raise ImportFormatError(f"{what} must be an array, got {type(value).__name__}")
    return value


def whole(value: Any, what: str) -> int:
    """`value` as a whole number.

    Raises:
        ImportFormatError: it is something else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ImportFormatError(f"{what} must be a whole number, got {shown(value)}")
    return value


def size_wh(record: Mapping[str, Any], what: str) -> tuple[int, int] | None:
    """Width and height of a record in pixels, when it names both.

    Raises:
        ImportFormatError: one of them is not a positive whole number.
    """
    if record.get("width") is None or record.get("height") is None:
        return None
    width, height = whole(record["width"], f"{what} width"), whole(record["height"], f"{what} height")
    if not (1 <= width <= INT32_MAX and 1 <= height <= INT32_MAX):
        raise ImportFormatError(f"{what} is {shown(width)}×{shown(height)} px")
    return width, height


def numbers(value: Any, count: int, what: str) -> tuple[float, ...]:
    """`value` as an array of exactly `count` numbers.

    Raises:
        ImportFormatError: it is something else.
    """
    values = listing(value, what)
    if len(values) != count or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise ImportFormatError(f"{what} must be {count} numbers, got {shown(value)}")
    try:
        return tuple(float(v) for v in values)
    except OverflowError as error:
        raise ImportFormatError(f"{what} holds a number beyond all bounds: {shown(value)}") from error


def box_from_xywh_px(value: Any, resolution_wh: tuple[int, int] | None, what: str) -> Box:
    """A COCO box: x, y, width, height in pixels.

    Raises:
        ImportFormatError: it is not four numbers, has no area inside the picture, or the picture's size is unknown.
    """
    if resolution_wh is None:
        raise ImportFormatError(f"{what} is in pixels, but the record does not say how large the picture is")
    x, y, width, height = numbers(value, 4, what)
    try:
        return _wide_enough(coco_xywh_to_box((x, y, width, height), resolution_wh), what)
    except GeometryError as error:
        raise ImportFormatError(f"{what}: {error}") from error


def box_from_xyxy(value: Any, what: str) -> Box:
    """A normalised box: x0, y0, x1, y1 in [0, 1].

    Raises:
        ImportFormatError: it is not such a box.
    """
    x0, y0, x1, y1 = numbers(value, 4, what)
    try:
        return _wide_enough(Box(x0, y0, x1, y1), what)
    except GeometryError as error:
        raise ImportFormatError(f"{what}: {error}") from error


def span_of(value: Any, caption: str, what: str) -> Span:
    """A half-open character range of a caption as its file has it, moved to where `clean_text` puts those characters.

    Args:
        caption: before `clean_text`, which folds white space and so moves what stands behind it.

    Raises:
        ImportFormatError: it is not such a range, or covers nothing but white space.
    """
    values = listing(value, what)
    if len(values) != 2:
        raise ImportFormatError(f"{what} must be [start, end], got {shown(value)}")
    start, end = whole(values[0], what), whole(values[1], what)
    if not 0 <= start < end <= len(caption):
        raise ImportFormatError(
            f"{what} [{shown(start)}, {shown(end)}) lies outside the caption of {len(caption)} characters"
        )
    covered = fold(caption[start:end])
    if not covered:
        raise ImportFormatError(f"{what} [{start}, {end}) covers white space only")
    before = fold(caption[:start])
    # A gap stays between the two unless the caption begins here, or a word goes on across the start.
    split = not before or not (
        caption[start - 1].isspace() or caption[start].isspace() or "\0" in caption[start - 1 : start + 1]
    )
    moved = len(before) + (0 if split else 1)
    return Span(moved, moved + len(covered))


def fold(text: str) -> str:
    """White space, and NUL with it, folded to single blanks."""
    return " ".join(text.replace("\0", " ").split())


def _wide_enough(box: Box, what: str) -> Box:
    if not has_area(box):
        raise ImportFormatError(f"{what} is narrower than a millionth of the picture: {box.as_xyxy()}")
    return box


def shown(value: Any) -> str:
    """A value for a message, however large or deep it is."""
    return reprlib.repr(value)


def each(records: list[Any], name: str, found: Annotations) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield `(where, record)` for every object of an array; what is not an object is skipped with that reason."""
    for number, record in enumerate(records):
        where = f"{name}[{number}]"
        if isinstance(record, Mapping):
            yield where, record
        else:
            found.skip(where, "malformed", f"must be an object, got {type(record).__name__}")


@contextmanager
def skipping(found: Annotations, where: str) -> Iterator[None]:
    """Note a record that turns out wrong within the block, in ways foreseen or not, and go on with the next."""
    try:
        yield
    except Exception as error:
        if not blames_an_item(error):
            raise
        found.skip(where, "malformed", words(error))
