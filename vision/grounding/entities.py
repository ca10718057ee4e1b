"""From the tokens that the model wrote to a clean text, its phrases' spans and their boxes; whatever it wrote."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from vision.grounding.locations import GRID, box_of
from vision.grounding.prompts import NEXT_BOX, OBJECT, OBJECT_END, PHRASE, PHRASE_END, TAGS
from vision.types import Box, Region, Span

_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
# What the tokenizer puts a blank in front of only because a tag ended there.
_CLOSING = frozenset(".,;:!?)]}%…'’”»")
_OPENING = frozenset("([{“«¿¡'’")
_UNSPACED = re.compile(
    "[\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]"  # Chinese, Japanese, their punctuation
)
_MARKUP = re.compile("(" + "|".join([*map(re.escape, TAGS), r"<patch_index_\d{4}>"]) + ")")


@dataclass(frozen=True, slots=True)
class Piece:
    """One token as it is read.

    Attributes:
        text: the characters that it adds, or a tag's name.
        tag: whether `text` is one of the eleven tags.
        location: the number of its cell, for a location token.
        log_probability: of the token when the model chose it; None when it was given, as in a prompt.
    """

    text: str
    tag: bool = False
    location: int | None = None
    log_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a row of pieces says.

    Attributes:
        text: words alone, one blank between them, none outside.
        regions: one for every valid box that follows a phrase, in order; spans lie in `text`.
        dropped_boxes: boxes that are none: inverted, of one corner, outside `<object>`, or behind no phrase.
        spans: for each piece the characters of `text` that it wrote; None for tags, locations and blanks.
    """

    text: str
    regions: tuple[Region, ...]
    dropped_boxes: int
    spans: tuple[Span | None, ...]


def pieces_of(text: str) -> Iterator[Piece]:
    """Split written-out markup, as in a data set or a log, at the model's own tags and at nothing else."""
    for part in _MARKUP.split(text):
        if part in TAGS:
            yield Piece(part, tag=True)
        elif _MARKUP.fullmatch(part):
            yield Piece("", location=int(part[-5:-1]))
        elif part:
            yield Piece(part)


def read_entities(pieces: Iterable[Piece]) -> Reading:
    """Read pieces in order. Any sequence is accepted: broken boxes are dropped and counted, words are never lost."""
    reader = _Reader()
    for piece in pieces:
        reader.take(piece)
    return reader.finish()


@dataclass
class _Phrase:
    start: int
    end: int = 0
    log_probabilities: list[float] = field(default_factory=list)


class _Text:
    """Collects words, with one blank where there were several and none where only a tag made one."""

    def __init__(self) -> None:
        self.text = ""
        self._gap = False
        self._seam = False

    def seam(self) -> None:
        """Note that a tag stood here."""
        self._seam = True

    def add(self, characters: str) -> Span | None:
        """Append what one token wrote; returns where its words stand."""
        plain = _BLANK.sub(" ", characters)
        words = plain.strip(" ")
        if not words:
            self._gap = self._gap or bool(plain)
            return None
        if (self._gap or plain[0] == " ") and self.text and not (self._seam and self._glued(words[0])):
            self.text += " "
        start = len(self.text)
        self.text += words
        self._gap, self._seam = plain[-1] == " ", False
        return Span(start, len(self.text))

    def _glued(self, following: str) -> bool:
        before = self.text[-1]
        if following in _CLOSING or _UNSPACED.match(following) or _UNSPACED.match(before):
            return True
        # An apostrophe ends an elided word (`près d'` + `un arbre`) unless it closes a plural (`the dogs'` + `ball`).
        return before in _OPENING and not self.text.endswith(("s'", "s’"))


class _Reader:
    def __init__(self) -> None:
        self._text = _Text()
        self._open: _Phrase | None = None
        self._closed: _Phrase | None = None
        self._inside_object = False
        self._corner: Piece | None = None
        self._regions: list[Region] = []
        self._dropped = 0
        self._spans: list[Span | None] = []

    def take(self, piece: Piece) -> None:
        span = None
        if piece.location is not None:
            self._take_location(piece)
        elif piece.tag:
            self._text.seam()
            self._take_tag(piece.text)
        else:
            span = self._take_words(piece)
        self._spans.append(span)

    def finish(self) -> Reading:
        self._drop_corner()
        return Reading(self._text.text, tuple(self._regions), self._dropped, tuple(self._spans))

    def _take_words(self, piece: Piece) -> Span | None:
        span = self._text.add(piece.text)
        if span is None:
            return None
        self._leave_object()
        self._closed = None
        if self._open is not None:
            if not self._open.end:
                self._open.start = span.start
            self._open.end = span.end
            if piece.log_probability is not None:
                self._open.log_probabilities.append(piece.log_probability)
        return span

    def _take_tag(self, tag: str) -> None:
        if tag == NEXT_BOX:
            self._drop_corner()
        elif tag == OBJECT_END:
            self._leave_object()
            self._closed = None
        elif tag == OBJECT:
            self._drop_corner()
            self._inside_object = True
        elif tag == PHRASE:
            self._leave_object()
            self._closed, self._open = None, _Phrase(0)
        elif tag == PHRASE_END:
            self._leave_object()
            self._closed = self._open if self._open is not None and self._open.end else None
            self._open = None

    def _take_location(self, piece: Piece) -> None:
        if self._corner is None:
            self._corner = piece
            return
        corners = (self._corner, piece)
        self._corner = None
        box = _box(corners)
        if box is None or self._closed is None or not self._inside_object:
            self._dropped += 1
            return
        span = Span(self._closed.start, self._closed.end)
        score = _confidence([*self._closed.log_probabilities, *_known(corners)])
        self._regions.append(Region(self._text.text[span.start : span.end], box, span, score))

    def _leave_object(self) -> None:
        self._drop_corner()
        self._inside_object = False

    def _drop_corner(self) -> None:
        self._dropped += self._corner is not None
        self._corner = None


def _box(corners: Sequence[Piece]) -> Box | None:
    first, last = (-1 if corner.location is None else corner.location for corner in corners)
    inside = 0 <= first < GRID * GRID and 0 <= last < GRID * GRID
    return box_of(first, last) if inside else None


def _known(pieces: Iterable[Piece]) -> list[float]:
    return [piece.log_probability for piece in pieces if piece.log_probability is not None]


def _confidence(log_probabilities: Sequence[float]) -> float | None:
    if not log_probabilities:
        return None
    return min(1.0, math.exp(sum(log_probabilities) / len(log_probabilities)))
