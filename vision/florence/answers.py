"""From the tokens that Florence-2 wrote to phrases, boxes and spans; whatever it wrote."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from vision.florence.locations import CORNERS, box_of
from vision.florence.vocabulary import Vocabulary
from vision.types import Box, Region, Span

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Located:
    """A phrase, as it was written, with one of its boxes.

    Attributes:
        phrase: words without outer blanks.
        box: where it is.
        score: geometric mean of the probabilities of the phrase's words and the box's four locations.
    """

    phrase: str
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says.

    Attributes:
        text: all of its words, one blank between them.
        located: a phrase for every valid box, in the order written.
        dropped_boxes: groups of locations that are no box, behind no phrase, behind one that names nothing, or the
            same box of the same phrase again.
    """

    text: str
    located: tuple[Located, ...]
    dropped_boxes: int


def read_answer(
    vocabulary: Vocabulary,
    tokens: Sequence[int],
    log_probabilities: Sequence[float],
    *,
    given: int = 0,
    nameless: Collection[str] = (),
) -> Reading:
    """Read an answer of any form: `phrase<loc_…>×4`, further boxes behind it, another phrase; words are never lost.

    Args:
        vocabulary: of the model that wrote it.
        tokens: ids; a tag ends a phrase.
        log_probabilities: of each.
        given: tokens at the beginning that were not the model's choice; they do not count in a score.
        nameless: phrases that name no thing to be pointed at, such as `it`.
    """
    reader = _Reader(vocabulary, frozenset(nameless))
    for number, (token, log_probability) in enumerate(zip(tokens, log_probabilities, strict=True)):
        reader.take(token, None if number < given else log_probability)
    return reader.finish()


def regions_in(caption: str, located: Sequence[Located]) -> tuple[Region, ...]:
    """Tie located phrases to a caption, in the order of its text; a phrase that it does not hold has no span.

    Phrases are looked for in the order written, each behind the one before, and from the beginning where it does not
    stand there; whole words, whatever their case and the blanks between them.
    """
    regions: list[Region] = []
    behind, last, span = 0, "", None
    for one in located:
        if one.phrase != last:  # further boxes of a phrase belong to the same words
            last, span = one.phrase, _find(caption, one.phrase, behind)
            behind = max(behind, span.end) if span is not None else behind
        phrase = caption[span.start : span.end] if span is not None else one.phrase
        regions.append(Region(phrase, one.box, span, one.score))
    return tuple(sorted(regions, key=lambda region: region.span.start if region.span else len(caption)))


def plain_text(written: str) -> str:
    """Words with one blank between them and none outside; a control character, which any byte may be, is a blank."""
    return " ".join(_CONTROL.sub(" ", written).split())


def geometric_mean(log_probabilities: Sequence[float]) -> float:
    """Of probabilities, at least one, given as logarithms; in [0, 1]."""
    return min(1.0, math.exp(sum(log_probabilities) / len(log_probabilities)))


def _find(caption: str, phrase: str, behind: int) -> Span | None:
    words = r"\s+".join(map(re.escape, phrase.split()))
    whole = re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
    found = whole.search(caption, behind) or whole.search(caption)
    return Span(*found.span()) if found else None


@dataclass
class _Reader:
    vocabulary: Vocabulary
    nameless: frozenset[str]
    words: list[int] = field(default_factory=list)
    phrase: list[int] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)
    places: list[tuple[int, float | None]] = field(default_factory=list)
    boxed: bool = False
    located: list[Located] = field(default_factory=list)
    dropped: int = 0

    def take(self, token: int, log_probability: float | None) -> None:
        if self.vocabulary.is_location(token):
            self.places.append((token - self.vocabulary.first_location, log_probability))
            self.boxed = True
            if len(self.places) == CORNERS:
                self._close_box()
            return
        self._drop_half()
        if self.boxed or not self.vocabulary.is_word(token):
            self._end_phrase()
        if self.vocabulary.is_word(token):
            self.words.append(token)
            self.phrase.append(token)
            if log_probability is not None:
                self.chances.append(log_probability)

    def finish(self) -> Reading:
        self._drop_half()
        return Reading(plain_text(self.vocabulary.text(self.words)), tuple(self.located), self.dropped)

    def _close_box(self) -> None:
        box = box_of([place for place, _ in self.places])
        known = [chance for _, chance in self.places if chance is not None]
        self.places = []
        phrase = plain_text(self.vocabulary.text(self.phrase))
        again = any(one.phrase == phrase and one.box == box for one in self.located)
        if box is None or not phrase or phrase in self.nameless or again:
            self.dropped += 1
        else:
            self.located.append(Located(phrase, box, geometric_mean([*self.chances, *known])))

    def _drop_half(self) -> None:
        self.dropped += bool(self.places)
        self.places = []

    def _end_phrase(self) -> None:
        self.phrase, self.chances, self.boxed = [], [], False
