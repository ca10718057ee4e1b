"""From regions to what is drawn on a picture: numbered phrases, rectangles as SVG attributes, labels as class names."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from search.results import PATCHES, CaptionInfo
from vision.types import Box
from web.layout import COLOURS, percent

MAX_BOXES = 200
"""A picture with more boxes than this shows the largest."""


class Groundable(Protocol):
    """What a stored and a matched region have in common."""

    @property
    def region_id(self) -> int | None:
        """Its number in the library, where it is stored."""

    @property
    def phrase(self) -> str:
        """The words."""

    @property
    def box(self) -> Box:
        """Where they point."""

    @property
    def score(self) -> float | None:
        """How sure, where somebody said so."""

    @property
    def source(self) -> str:
        """Who tied them together."""


@dataclass(frozen=True, slots=True)
class LabelSize:
    """Roughly how much of a picture a label covers, as fractions of its width and height; keeps labels apart."""

    char_width: float
    line_height: float


TILE_LABELS = LabelSize(char_width=0.024, line_height=0.1)
VIEWER_LABELS = LabelSize(char_width=0.010, line_height=0.045)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One rectangle; numbers are written out as SVG reads them, in a viewBox of 1 × 1.

    Attributes:
        number: of its thing, from 1, or of the piece of the query that it answers.
        derived: nobody stored it; it follows from the picture's patches.
    """

    group: int
    number: int
    colour: int
    derived: bool
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Label:
    """A phrase to write beside its largest box; `place` are class names of `static/geometry.css`."""

    group: int
    number: int
    colour: int
    phrase: str
    place: str


@dataclass(frozen=True, slots=True)
class Thing:
    """What is pointed at: one phrase with its boxes, or several phrases that point at exactly the same boxes.

    Attributes:
        phrases: the words, in order of appearance; equal ones, however capitalised, once.
        place: its largest box, in words.
        more: how many boxes it has besides that one.
        region_id: number of its largest box, to find more of what that shows; None where none is stored.
    """

    group: int
    number: int
    colour: int
    phrases: tuple[str, ...]
    score: float | None
    place: str
    more: int
    region_id: int | None


@dataclass(frozen=True, slots=True)
class Overlay:
    """Everything that is drawn on one picture; boxes from large to small, so that small ones lie on top."""

    boxes: tuple[Drawn, ...]
    labels: tuple[Label, ...]
    things: tuple[Thing, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a caption; `group` is the thing that it names, or None between phrases."""

    text: str
    group: int | None
    colour: int


def draw(
    regions: Sequence[Groundable], labels: LabelSize, number_of: Callable[[Groundable], int | None] | None = None
) -> Overlay:
    """Arrange regions of one picture: each thing has a number and a colour, in order of appearance.

    Args:
        regions: of one picture.
        labels: how large labels are on it.
        number_of: another number for a region, that of the piece of a query that it answers; None where it has none.
    """
    number = number_of or (lambda region: None)
    largest = sorted(regions, key=lambda region: (number(region) is None, -_area(region.box)))[:MAX_BOXES]
    kept = [region for region in regions if any(region is other for other in largest)]
    things = _things(kept, number)
    numbers = [number(members[0]) or group + 1 for group, members in enumerate(things)]
    drawn: dict[tuple[int, Box], bool] = {}
    for group, members in enumerate(things):
        drawn.update({(group, member.box): member.source == PATCHES for member in members})
    return Overlay(
        boxes=tuple(
            _drawn(box, group, numbers[group], derived=drawn[group, box])
            for group, box in sorted(drawn, key=lambda entry: -_area(entry[1]))
        ),
        labels=_labels(things, numbers, labels),
        things=tuple(_thing(group, numbers[group], members) for group, members in enumerate(things)),
    )


def derived_box(box: Box) -> Drawn:
    """A box of its own beside those that are stored."""
    return _drawn(box, 0, 1, derived=True)


def mark_phrases(caption: CaptionInfo, things: Sequence[Thing]) -> tuple[Piece, ...]:
    """Cut a caption at the spans of its phrases; spans outside the text or across an earlier one are left unmarked."""
    groups = {phrase.casefold(): thing for thing in things for phrase in thing.phrases}
    spans = {
        (region.span.start, region.span.end): groups.get(region.phrase.casefold())
        for region in caption.regions
        if region.span is not None and region.span.end <= len(caption.text)
    }
    pieces: list[Piece] = []
    cursor = 0
    for (start, end), thing in sorted(spans.items(), key=lambda item: (item[0][0], -item[0][1])):
        if start < cursor or thing is None:
            continue
        if start > cursor:
            pieces.append(Piece(caption.text[cursor:start], None, 0))
        pieces.append(Piece(caption.text[start:end], thing.group, thing.colour))
        cursor = end
    if cursor < len(caption.text):
        pieces.append(Piece(caption.text[cursor:], None, 0))
    return tuple(pieces)


def place_in_words(box: Box) -> str:
    """Say where a box is, for people who do not see it: "top left, 12 % of the picture"."""
    column = ("left", "centre", "right")[min(2, int((box.x0 + box.x1) * 1.5))]
    row = ("top", "middle", "bottom")[min(2, int((box.y0 + box.y1) * 1.5))]
    where = "centre" if (row, column) == ("middle", "centre") else f"{row} {column}"
    share = _area(box) * 100
    return f"{where}, {share:.0f} %" if share >= 0.5 else f"{where}, under 1 %"


def _area(box: Box) -> float:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def _drawn(box: Box, group: int, number: int, *, derived: bool) -> Drawn:
    x, y, width, height = (f"{value:.6f}" for value in (box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0))
    return Drawn(group, number, (number - 1) % COLOURS, derived, x, y, width, height)


def _things(regions: Sequence[Groundable], number_of: Callable[[Groundable], int | None]) -> list[list[Groundable]]:
    """Gather regions by phrase and number, then phrases whose boxes are the same: "a bear" and "the large bear" are one
    thing.
    """
    phrases: dict[tuple[str, int | None], list[Groundable]] = {}
    for region in regions:
        phrases.setdefault((region.phrase.casefold(), number_of(region)), []).append(region)
    things: dict[frozenset[tuple[int, ...]], list[Groundable]] = {}
    for members in phrases.values():
        # To a two-hundredth of a side: nobody can tell such boxes apart.
        outline = frozenset(tuple(round(value * 200) for value in member.box.as_xyxy()) for member in members)
        things.setdefault(outline, []).extend(members)
    return list(things.values())


def _thing(group: int, number: int, members: Sequence[Groundable]) -> Thing:
    phrases = {member.phrase.casefold(): member.phrase for member in reversed(members)}
    boxes = sorted({member.box for member in members}, key=_area)
    return Thing(
        group=group,
        number=number,
        colour=(number - 1) % COLOURS,
        phrases=tuple(phrases[key] for key in dict.fromkeys(member.phrase.casefold() for member in members)),
        score=max((member.score for member in members if member.score is not None), default=None),
        place=place_in_words(boxes[-1]),
        more=len(boxes) - 1,
        region_id=_stored(members),
    )


def _stored(members: Sequence[Groundable]) -> int | None:
    """The number of the largest stored box; of several equal ones, the first."""
    stored = [member for member in members if member.region_id is not None]
    return max(stored, key=lambda member: _area(member.box)).region_id if stored else None


def _labels(things: Sequence[Sequence[Groundable]], numbers: Sequence[int], size: LabelSize) -> tuple[Label, ...]:
    taken: list[tuple[float, float, float, float]] = []
    labels: list[Label] = []
    for group, members in enumerate(things):
        largest = max(members, key=lambda member: _area(member.box))
        width = (len(members[0].phrase) + 2) * size.char_width
        place, rectangle = _place(largest.box, width, size.line_height, taken)
        taken.append(rectangle)
        labels.append(Label(group, numbers[group], (numbers[group] - 1) % COLOURS, members[0].phrase, place))
    return tuple(labels)


def _place(
    box: Box, width: float, height: float, taken: list[tuple[float, float, float, float]]
) -> tuple[str, tuple[float, float, float, float]]:
    """Try above the box, inside at its top, inside at its bottom, below it; take the first that is free."""
    from_left = box.x0 <= 0.55
    x0 = box.x0 if from_left else max(0.0, box.x1 - width)
    across = f"l{percent(box.x0)}" if from_left else f"r{percent(1 - box.x1)}"
    choices = [
        # Rounded outwards or inwards so that a label never lies across the edge that it names.
        (f"b{math.ceil((1 - box.y0) * 100)}", box.y0 - height),
        (f"t{math.ceil(box.y0 * 100)}", box.y0),
        (f"b{math.ceil((1 - box.y1) * 100)}", box.y1 - height),
        (f"t{math.ceil(box.y1 * 100)}", box.y1),
    ]
    inside = [(name, y) for name, y in choices if 0 <= y <= 1 - height] or choices[1:2]
    rectangles = [(name, (x0, y, min(1.0, x0 + width), y + height)) for name, y in inside]
    free = [entry for entry in rectangles if not any(_overlap(entry[1], other) for other in taken)]
    name, rectangle = (free or rectangles)[0]
    return f"{across} {name}", rectangle


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
