"""One page of an answer: ranked, looked up, explained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy.orm import Session

from search.catalogue.catalogue import TEXT
from search.db.annotations import text_bodies
from search.query.answer import Stages
from search.query.deriving import derive_boxes
from search.query.drawn_lines import add_lines
from search.query.engine import Embedded, Ordered, Wanted, give, order
from search.query.explain import add_alike, explain_hits
from search.query.found import Branched
from search.query.hydrate import hydrate
from search.results import Hit, SearchRequest
from search.snapshot import Snapshot

_NEAREST = 5
"""Phrases of the library that are named where nothing is likely relevant."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A request, planned, with what it needed of the encoder."""

    request: SearchRequest
    wanted: Wanted
    embedded: Embedded


@dataclass(frozen=True, slots=True)
class Page:
    """Hits of one page, whether others follow, how many are likely in all, and what comes nearest if none is."""

    hits: tuple[Hit, ...]
    more: bool
    likely: int | None
    nearest: tuple[str, ...] = ()


def answer_page(session: Session, snapshot: Snapshot, asked: Asked, stages: Stages) -> Page:
    """Answer a request on one snapshot.

    Raises:
        NotFoundError: a picture or region that it names is not of this library.
        QueryError: a filter's value cannot be read.
    """
    request = asked.request
    if snapshot.images.size == 0:
        return Page((), False, None)
    with stages.time("filters"):
        given = give(session, snapshot, asked.wanted, asked.embedded, plain=not request.annotations)
    ordered = order(session, snapshot, given, request.offset + request.k + 1, asked.wanted.sort, stages)
    with stages.time("hydrate"):
        folded = _fold(session, snapshot, ordered, request)
        without = frozenset(image_id for same in folded.values() for image_id in same)
        hits, more = hydrate(session, snapshot, ordered, k=request.k, offset=request.offset, without=without)
        hits = tuple(replace(hit, same=folded.get(hit.image_id, ())) for hit in hits)
    with stages.time("explain"):
        hits = _explain(session, snapshot, hits, ordered)
        nearest = _nearest(session, snapshot, ordered) if ordered.likely == 0 else ()
    return Page(hits, more, ordered.likely, nearest)


def _explain(session: Session, snapshot: Snapshot, hits: tuple[Hit, ...], ordered: Ordered) -> tuple[Hit, ...]:
    """Each hit by the branch that found it."""
    if len(ordered.branches) == 1:
        return _explain_by(session, snapshot, hits, ordered.branches[0])
    rows = snapshot.catalogue.rows_of_images(np.array([hit.image_id for hit in hits], np.int64)).tolist()
    branch_of = dict(zip(ordered.rows.tolist(), ordered.branch.tolist(), strict=True))
    explained: dict[int, Hit] = {}
    for number, found in enumerate(ordered.branches):
        mine = [hit for hit, row in zip(hits, rows, strict=True) if branch_of[row] == number]
        explained |= {hit.image_id: hit for hit in _explain_by(session, snapshot, mine, found)}
    return tuple(explained[hit.image_id] for hit in hits)


def _explain_by(session: Session, snapshot: Snapshot, hits: Sequence[Hit], found: Branched) -> tuple[Hit, ...]:
    explained = derive_boxes(snapshot, explain_hits(session, snapshot, hits, found), found)
    explained = add_lines(session, snapshot, explained, found)
    return add_alike(session, snapshot, explained, found)


def _fold(session: Session, snapshot: Snapshot, ordered: Ordered, request: SearchRequest) -> dict[int, tuple[int, ...]]:
    """Near-identical pictures by the one that stands for them."""
    if request.collapse == "none":
        return {}
    from search.query.collapse import fold_near  # noqa: PLC0415 (only where it is asked for)

    folded: dict[int, tuple[int, ...]] = fold_near(session, snapshot, ordered.rows, request.offset + request.k)
    return folded


def _nearest(session: Session, snapshot: Snapshot, ordered: Ordered) -> tuple[str, ...]:
    """Phrases of the library that mean most nearly what was asked, the nearest first."""
    scored: dict[int, float] = {}
    for found in ordered.branches:
        ask = found.given.ask
        if ask.main is None:
            continue
        asked = found.asked[ask.main]
        for rows, values in ((asked.meant, asked.meanings), (asked.worded, 10 * asked.covered)):
            for row in np.argsort(-values, kind="stable")[: 2 * _NEAREST].tolist():
                document = int(rows[row])
                if snapshot.catalogue.doc_kind[document] == TEXT:
                    scored[document] = scored.get(document, 0.0) + float(values[row])
    best = sorted(scored, key=lambda document: (-scored[document], document))[:_NEAREST]
    ids = [int(snapshot.catalogue.doc_id[document]) for document in best]
    if not ids:
        return ()
    bodies = text_bodies(session, ids)
    return tuple(bodies[text_id] for text_id in ids if text_id in bodies)
