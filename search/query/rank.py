"""Put all evidence of one branch of a query together: a score per picture, taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.query.asked import Ask
from search.query.compose import Composition
from search.query.evidence import Evidence

WRITTEN_WHOLE = 0.25
"""Share that the text of a whole sentence keeps where it is taken apart: it holds the words of its swapped twin too."""

WEAKEST = 1.0
AVERAGE = 0.5
"""What the weakest thing and the average thing of a sentence are worth."""

_SHOWN_ALL = 5.0
_SHOWN_ON_AVERAGE = 1.0
_RELATED = 10.0
_COUNTED = 8.0
_DENIED_BOX = 5.0
_TYPED = 12.0
"""Nats for boxes that show every thing, things on average, a relation, a number, something that must not be, and the
query itself as a text."""

_CONTRADICTED = 8.0
"""Nats that a picture is less likely relevant whose boxes have some of a thing's words and do not show the thing (a
fox that is red, and a ball that is purple, for "a purple fox"), or show what must not be there."""

_UNLIKE = 3.0
"""The same of one whose boxes show the things in another number or relation."""

_EXPECTED = 0.5
"""What boxes would have given a picture that has none: silence does not sink it."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scores of some pictures, in nats of log-odds.

    Attributes:
        rows: `(n,)` int64, rows of the catalogue's pictures.
        parts: by name, `(n,)` float32 each; a part that is 0 everywhere is left out.
        relevance: `(n,)` float32, log-odds comparable between queries: of the text, and of its weakest thing.
    """

    rows: NDArray[np.int64]
    parts: dict[str, NDArray[np.float32]]
    relevance: NDArray[np.float32]

    @property
    def total(self) -> NDArray[np.float32]:
        """`(n,)`, the sum of the parts."""
        total = np.zeros(len(self.rows), np.float32)
        for part in self.parts.values():
            total += part
        return total

    def only(self, places: NDArray[np.int64]) -> Ranked:
        """The same for some of the pictures, in this order."""
        parts = {name: part[places] for name, part in self.parts.items()}
        return Ranked(self.rows[places], parts, self.relevance[places])


def rank(ask: Ask, evidence: Evidence, alike: NDArray[np.float32]) -> Ranked:
    """Score pictures by look, words and meaning.

    Args:
        evidence: for the texts of the branch, in their order.
        alike: `(n,)` float32, what likeness to given pictures is worth; zeros where none was given.
    """
    judged = evidence.judged
    total = judged.total
    sure = np.where(evidence.trusted, total, 0).astype(np.float32)
    parts: dict[str, NDArray[np.float32]] = {"like": alike}
    relevance = alike
    things = list(ask.things)
    if ask.main is not None:
        # A line of text on the picture is quoted, and not taken apart: it has no twin.
        share = np.where(evidence.lines[:, ask.main] | (len(things) < 2), 1, WRITTEN_WHOLE).astype(np.float32)
        parts["image"] = judged.look[:, ask.main]
        parts["words"] = share * judged.words[:, ask.main]
        parts["meaning"] = share * judged.meaning[:, ask.main]
        relevance = sure[:, ask.main] + alike
    if len(things) > 1:
        parts["things"] = of_things(total[:, things])
        # Halfway to the whole: a sentence that was taken apart wrongly must not lose everything.
        surely = sure[:, things].min(axis=1)
        whole = surely if ask.main is None else sure[:, ask.main]
        # Of a picture without texts only the whole: things one by one stand out of their background less surely.
        relevance = np.where(evidence.silent, whole, (surely + whole) / 2) + alike
    for text, weight in ask.extra:
        weighted = np.float32(weight) * np.maximum(total[:, text], 0)
        parts["weighted"] = (parts.get("weighted", np.float32(0)) + weighted).astype(np.float32)
    for text in ask.without:
        denied = np.maximum(total[:, text], 0)
        parts["without"] = parts.get("without", np.float32(0)) - denied
        relevance = relevance - denied
    if ask.main is None and not alike.any():
        relevance = np.full(len(evidence.rows), np.inf, np.float32)  # filters alone decide
    kept = {name: np.asarray(part, np.float32) for name, part in parts.items() if np.any(part)}
    return Ranked(evidence.rows, kept, relevance.astype(np.float32))


def of_things(odds: NDArray[np.float32]) -> NDArray[np.float32]:
    """What log-odds of the things of a sentence `(n, t)` are worth together, `(n,)`; of one alone, themselves."""
    if odds.shape[1] == 1:
        return odds[:, 0].copy()
    together: NDArray[np.float32] = WEAKEST * odds.min(axis=1) + AVERAGE * odds.mean(axis=1)
    return together


def add_typed(ranked: Ranked, rows: NDArray[np.int64]) -> Ranked:
    """The same with pictures in front that have a text which is the query word for word."""
    typed = np.isin(ranked.rows, rows)
    if not typed.any():
        return ranked
    return Ranked(ranked.rows, ranked.parts | {"typed": (_TYPED * typed).astype(np.float32)}, ranked.relevance)


def add_misread(ranked: Ranked, misread: NDArray[np.float32] | None) -> Ranked:
    """The same with what wrong letters take from each.

    Args:
        misread: by row of the catalogue, at most 0; None where no words were looked for in pictures.
    """
    if misread is None or not misread[ranked.rows].any():
        return ranked
    return Ranked(ranked.rows, ranked.parts | {"misread": misread[ranked.rows]}, ranked.relevance)


def boxes_worth(ask: Ask) -> float:
    """Nats that boxes give a picture at most."""
    counted = sum(thing.count is not None for thing in ask.shown)
    return _SHOWN_ON_AVERAGE + _SHOWN_ALL + _RELATED * len(ask.relations) + _COUNTED * counted


def add_boxes(ranked: Ranked, ask: Ask, found: Composition, said: NDArray[np.bool_]) -> Ranked:
    """The same with what the boxes say about things, numbers and relations.

    Args:
        found: for the pictures of `ranked`; its things are those of the sentence, then those that must not be there.
        said: `(n, t)` bool, whether a text of the picture holds every word of each thing that is looked for.
    """
    count = found.things.shape[1] - len(ask.without)
    parts = dict(ranked.parts)
    # What is written of and in no box is there all the same: nobody boxes everything, and people box in other words.
    unboxed = said & (found.missed[:, :count] < _EXPECTED)
    shown = np.maximum(found.things[:, :count], np.where(unboxed, np.float32(_EXPECTED), 0))
    if count:
        boxes = _SHOWN_ON_AVERAGE * shown.mean(axis=1) + _SHOWN_ALL * shown.min(axis=1)
        parts["boxes"] = _spoken(boxes, found, (_SHOWN_ON_AVERAGE + _SHOWN_ALL) * _EXPECTED)
    if found.relations.shape[1]:
        parts["relation"] = _spoken(_RELATED * found.relations.sum(axis=1), found, _RELATED * _EXPECTED / 2)
    asked = [column for column, thing in enumerate(ask.shown) if thing.count is not None]
    if asked:
        parts["number"] = _spoken(_COUNTED * found.counted[:, asked].sum(axis=1), found, _COUNTED * _EXPECTED / 2)
    if len(ask.without):
        denied = _DENIED_BOX * found.things[:, count:].sum(axis=1)
        parts["without"] = parts.get("without", np.float32(0)) - denied
    kept = {name: np.asarray(part, np.float32) for name, part in parts.items() if np.any(part)}
    return Ranked(ranked.rows, kept, (ranked.relevance - _contradicted(found, count, asked)).astype(np.float32))


def _contradicted(found: Composition, count: int, counted: Sequence[int]) -> NDArray[np.float32]:
    """What boxes take from relevance, in nats: other things in the place of those asked for, or the right ones wrongly.

    Args:
        count: how many things are looked for.
        counted: which of them have a number.
    """
    missed = found.missed[:, :count].max(axis=1, initial=0)
    right = found.relations.min(axis=1, initial=1) * found.counted[:, list(counted)].min(axis=1, initial=1)
    unlike = found.things[:, :count].min(axis=1, initial=1) * (1 - right)
    denied = found.things[:, count:].max(axis=1, initial=0)
    taken: NDArray[np.float32] = np.maximum(_CONTRADICTED * np.maximum(missed, denied), _UNLIKE * unlike)
    return taken


def _spoken(value: NDArray[np.float32], found: Composition, expected: float) -> NDArray[np.float32]:
    """A picture without any box gets what is expected of one that has some, so that it is neither sunk nor raised."""
    if not found.boxed.any():
        return np.zeros(len(value), np.float32)  # a library without boxes ranks as the plain sentence does
    return np.where(found.boxed, value, np.float32(expected)).astype(np.float32)
