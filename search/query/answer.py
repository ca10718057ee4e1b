"""Answer the branches of a query on one snapshot: gather, judge, compose, and put them in one order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from search.query.alike import by_look, likeness, nearest_by_box, of_boxes
from search.query.asked import Ask
from search.query.boxes import COMPOSED, load_boxes
from search.query.candidates import FIRST, WIDER, gather, told, whole_pool
from search.query.closer import look_closer, see
from search.query.compose import compose
from search.query.evidence import ALL_HELD, AskedText, Evidence, ask_texts, found_in, look_at, no_evidence
from search.query.exact import typed_rows
from search.query.found import Branched, Given
from search.query.rank import Ranked, add_boxes, add_misread, add_typed, boxes_worth, rank
from search.query.reach import Reach, reach_of
from search.snapshot import Snapshot

_LAST = 50
"""Pictures whose boxes were looked at last: they stand for those behind them."""

_FOR_BOXES = 2_048
"""Nearest pictures beyond which no more are asked for only because boxes might raise one of them."""

_SPARE = 64
"""Nearest pictures beyond the page, for those whose file went missing since the index was made."""


@dataclass(slots=True)
class Stages:
    """Milliseconds of CPU of this thread, by stage."""

    spent_ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add what the block takes to a stage."""
        started = time.thread_time()
        try:
            yield
        finally:
            self.spent_ms[stage] = self.spent_ms.get(stage, 0.0) + (time.thread_time() - started) * 1000


def answer(session: Session, snapshot: Snapshot, given: Given, wanted: int, stages: Stages) -> Branched:
    """Rank the pictures for one branch.

    Args:
        wanted: hits that will be shown, those before them included.
    """
    if given.bare:
        with stages.time("candidates"):
            ranked = by_look(session, snapshot, given, wanted + _SPARE + len(given.without))
            return Branched(given, ranked, (), no_evidence(ranked.rows))
    with stages.time("texts"):
        language = given.ask.sentence.language
        asked = ask_texts(snapshot, given.ask.texts, given.vectors, language, given.unread, given.ask.without)
    with stages.time("candidates"):
        evidence, ranked = _look(session, snapshot, given, asked, wanted)
        if given.ask.main is not None:
            typed = typed_rows(session, snapshot.catalogue, asked[given.ask.main])
            ranked = add_typed(ranked, typed)
        order = np.lexsort((ranked.rows, -ranked.total))
        ranked = ranked.only(order)
    found = Branched(given, ranked, asked, evidence)
    if snapshot.patches is not None:
        with stages.time("patches"):
            found = look_closer(replace(found, seen=see(session, snapshot, found)))
    columns = boxed_columns(given.ask)
    if not columns or len(found.ranked.rows) == 0:
        return found
    with stages.time("boxes"):
        return _compose(session, snapshot, found, columns)


def boxed_columns(ask: Ask) -> list[int]:
    """Texts that are looked for among the boxes: the things, or the whole text where it names none; then the denied."""
    things = list(ask.things) or ([] if ask.main is None else [ask.main])
    return things + list(ask.without)


def _look(
    session: Session, snapshot: Snapshot, given: Given, asked: tuple[AskedText, ...], wanted: int
) -> tuple[Evidence, Ranked]:
    """Ask the sources for more until what is wanted cannot be outdone by what they left out."""
    weights, fetch = snapshot.relevance.weights, max(FIRST, 2 * wanted)
    ask = given.ask
    known = told(snapshot, asked, weights)
    reach = reach_of(ask, asked, given.vectors, known.beyond, lines=snapshot.catalogue.has_lines)
    queries = _searched(given, reach)
    while True:
        if len(queries) or ask.texts:
            pool = gather(snapshot, known, queries, among=given.among, fetch=fetch)
        else:
            pool = whole_pool(np.arange(len(snapshot.catalogue.images)) if given.among is None else given.among)
        if not pool.whole:
            pool = replace(pool, rows=_with_boxed(session, snapshot, given, pool.rows, fetch))
        if given.without:
            pool = replace(pool, rows=np.setdiff1d(pool.rows, np.array(given.without)))
        evidence = look_at(snapshot, pool.rows, asked, given.vectors, weights)
        ranked = rank(ask, evidence, likeness(session, snapshot, pool.rows, given, weights))
        ranked = add_misread(ranked, given.misread)
        if pool.whole or reach is None or fetch >= len(snapshot.catalogue.images):
            return evidence, ranked
        bound = _bound(snapshot, asked, ask, pool.last, known.beyond, reach)
        if _is_enough(ask, ranked.total, wanted, bound, fetch):
            return evidence, ranked
        fetch *= WIDER


def _with_boxed(
    session: Session, snapshot: Snapshot, given: Given, rows: NDArray[np.int64], fetch: int
) -> NDArray[np.int64]:
    """The same rows and those of pictures with a box that is like one of the given ones."""
    found = [
        nearest_by_box(session, snapshot, like, fetch, given.among)
        for like, weight in zip(given.likes[of_boxes(given)], given.weights[of_boxes(given)], strict=True)
        if weight > 0
    ]
    return np.unique(np.concatenate([rows, *found]))


def _is_enough(ask: Ask, total: NDArray[np.float32], wanted: int, bound: float, fetch: int) -> bool:
    """Whether nothing outside a pool with these scores can be among the hits that are wanted."""
    if len(total) < wanted:
        return False
    last = -np.partition(-total, wanted - 1)[wanted - 1]
    if last < bound:
        return False
    if not boxed_columns(ask) or fetch >= _FOR_BOXES:
        return True
    # Boxes raise some of the best, which must be the right ones: as far as that can change what is shown.
    composed = -np.partition(-total, COMPOSED - 1)[COMPOSED - 1] if len(total) >= COMPOSED else -np.inf
    return bool(max(composed, last - boxes_worth(ask)) >= bound)


def _searched(given: Given, reach: Reach | None) -> NDArray[np.float32]:
    """`(q, dim)`: the sentence as a whole, what is weighted on its own, and the pictures that were given."""
    if reach is None:
        return np.concatenate([given.vectors, given.likes])
    whole = reach.vector[None] if reach.length else given.vectors[:0]
    return np.concatenate([whole, given.vectors[[text for text, _ in given.ask.extra]], given.likes])


def _bound(
    snapshot: Snapshot,
    asked: Sequence[AskedText],
    ask: Ask,
    last: NDArray[np.float32],
    beyond: NDArray[np.float32],
    reach: Reach,
) -> float:
    """What no picture outside the pool exceeds by the texts of the branch; likeness to given pictures is not in it."""
    weights, silence = snapshot.relevance.weights, snapshot.catalogue.has_silence
    nearest = last.tolist()
    bound = reach.bound(nearest.pop(0) if reach.length else 0.0, beyond, weights, silence=silence)
    for (text, weight), cosine in zip(ask.extra, nearest, strict=False):
        of = asked[text].background
        look = 0.0 if asked[text].blind else (cosine - of.image_mean) / of.image_spread
        odds = max(weights.look * look, weights.look_alone * look + weights.silence) + float(beyond[text])
        bound += max(weight * odds, 0.0)
    return bound


def _compose(session: Session, snapshot: Snapshot, found: Branched, columns: Sequence[int]) -> Branched:
    """Let the boxes of the best reorder them."""
    ask, ranked = found.given.ask, found.ranked
    best = np.arange(min(COMPOSED, len(ranked.rows)))
    ids = snapshot.catalogue.images[ranked.rows[best]]
    asked = [found.asked[column] for column in columns]
    boxed = load_boxes(session, snapshot, ids, asked, found.given.vectors[list(columns)])
    things = [*ask.shown] if ask.things else []
    looked_for = len(columns) - len(ask.without)
    composition = compose(len(best), boxed, looked_for, things, list(ask.relations))
    before = ranked.only(best)
    first = add_boxes(before, ask, composition, _said(found, columns[:looked_for], len(best)))
    order = np.lexsort((first.rows, -first.total))
    rest = ranked.only(np.arange(len(best), len(ranked.rows)))
    if len(rest.rows):
        # What was not looked at is not more likely for that: it is taken to be as the last that were.
        usual = min(float((first.relevance - before.relevance)[-_LAST:].mean()), 0.0)
        rest = replace(rest, relevance=rest.relevance + np.float32(usual))
    return replace(
        found,
        ranked=_joined(first.only(order), rest),
        boxed=boxed,
        composition=composition.only(order),
    )


def _said(found: Branched, columns: Sequence[int], count: int) -> NDArray[np.bool_]:
    """`(count, columns)`: whether the best text of each of the first pictures holds every word of each thing.

    A line of text on the picture says what is written there, and not that the thing is.
    """
    evidence = found.evidence
    at = np.searchsorted(evidence.rows, found.ranked.rows[:count])
    held = [
        ~evidence.lines[at, column]
        & (
            found_in(evidence.documents[at, column], found.asked[column].worded, found.asked[column].covered)
            >= ALL_HELD
        )
        for column in columns
    ]
    return np.stack(held, axis=1) if held else np.zeros((count, 0), bool)


def _joined(first: Ranked, rest: Ranked) -> Ranked:
    names = [*first.parts, *(name for name in rest.parts if name not in first.parts)]
    zeros = (np.zeros(len(first.rows), np.float32), np.zeros(len(rest.rows), np.float32))
    parts = {name: np.concatenate([first.parts.get(name, zeros[0]), rest.parts.get(name, zeros[1])]) for name in names}
    return Ranked(np.concatenate([first.rows, rest.rows]), parts, np.concatenate([first.relevance, rest.relevance]))
