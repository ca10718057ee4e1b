"""What is committed and not in the generation, yet or for being little: searched by an exact scan beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from search.ascending import is_member
from search.db.schema import Embedding, Model, Root, Segment
from search.db.session import Database
from search.db.told import choice
from search.errors import CorruptionError
from search.vectors.index import VectorIndex, build_index
from search.vectors.live import live_among, live_ids
from search.vectors.policy import index_key
from search.vectors.searcher import Searcher

TAIL_LIMIT = 16_384
"""Vectors that are searched unpublished; `index` publishes long before. At 512 dimensions they take 34 MB, and a search
4.6 ms of one core (AMD EPYC)."""


_GROWTH = (
    select(
        select(func.max(Root.last_scanned_at)).scalar_subquery(),
        *(Segment.kind, func.count(Segment.id), func.sum(Segment.committed_rows), func.max(Segment.id)),
        choice(),
    )
    .select_from(Model)
    .outerjoin(Segment, Segment.model_id == Model.id)
    .where(Model.id == bindparam("model"))
    .group_by(Segment.kind)
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database looked like when a tail was made; while it is the same, so is the tail.

    Attributes:
        generation: id of the active generation, 0 before the first.
        scanned_at: when a scan last ended: one that brings files back changes what lives without adding a vector.
        segments: number and sum of the rows of the model's segments of this kind.
        newest: the highest id among those segments.
        choice: which generations of captions rest (`search.db.told`).
    """

    generation: int
    scanned_at: datetime | None
    segments: tuple[int, int]
    newest: int
    choice: int


@dataclass(frozen=True, slots=True)
class Tail:
    """The unpublished vectors of one model and kind.

    Attributes:
        seen: of which state of the database.
        last_id: the newest embedding that was looked at.
        index: those that are searched; None where there are none.
        waiting: how many more there are, beyond the limit or unreadable.
    """

    seen: Seen
    last_id: int
    index: VectorIndex | None
    waiting: int


class Tails:
    """The tails of one library, each kept until something was committed or published.

    Args:
        database: where the rows are.
        fetch: stored vectors by embedding id, `(n, dim)` float32.
    """

    def __init__(self, database: Database, fetch: Callable[[Sequence[int]], NDArray[np.float32]]) -> None:
        self._database = database
        self._fetch = fetch
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, str], Tail] = {}
        self._composed: dict[tuple[int, str], Searcher] = {}

    def beside(self, searcher: Searcher, model_id: int, kind: str) -> Searcher:
        """The searcher with what is committed and not in its generation."""
        with self._database.read() as session:
            return self.beside_all(session, {kind: searcher}, model_id)[kind]

    def beside_all(self, session: Session, searchers: Mapping[str, Searcher], model_id: int) -> dict[str, Searcher]:
        """The searchers of several kinds with what is committed and in none of their generations: one statement."""
        looks = _look(session, searchers, model_id)
        return {
            kind: self._with_tail(session, searcher, model_id, kind, looks[kind])
            for kind, searcher in searchers.items()
        }

    def _with_tail(self, session: Session, searcher: Searcher, model_id: int, kind: str, seen: Seen) -> Searcher:
        tail = self._kept.get((model_id, kind))
        if tail is None or tail.seen != seen:
            with self._lock:
                tail = self._make(session, searcher, model_id, kind, seen, self._kept.get((model_id, kind)))
                self._kept[model_id, kind] = tail
        if tail.index is None and not tail.waiting:
            return searcher
        # Kept, because it remembers what every query asks of it.
        composed = self._composed.get((model_id, kind))
        parts = (searcher.index, tail.index, tail.waiting)
        if composed is None or (composed.index, composed.tail, composed.waiting) != parts:
            composed = searcher.with_tail(tail.index, tail.waiting)
            self._composed[model_id, kind] = composed
        return composed

    def clear(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._kept.clear()
            self._composed.clear()

    def _make(
        self, session: Session, searcher: Searcher, model_id: int, kind: str, seen: Seen, before: Tail | None
    ) -> Tail:
        if before is not None and before.seen == seen:
            return before  # Another thread was faster.
        if before is not None and before.waiting == 0 and _only_grown(before.seen, seen):
            # Only what came since: a job commits every few seconds, and the live set of a library is a long list.
            ids, last_id = _newer(session, model_id, kind, before.last_id)
            known = before.index
            missing = live_among(session, kind, ids)
        else:
            live = live_ids(session, model_id, kind)
            known = None
            missing = live[~is_member(live, searcher.ascending_ids())]
            last_id = session.scalar(select(func.max(Embedding.id))) or 0
        left_out = max(0, len(missing) + (0 if known is None else known.size) - TAIL_LIMIT)
        index, waiting = self._read(searcher, known, missing[-TAIL_LIMIT:])
        return Tail(seen, last_id, index, waiting + left_out)

    def _read(
        self, searcher: Searcher, known: VectorIndex | None, ids: NDArray[np.int64]
    ) -> tuple[VectorIndex | None, int]:
        """An index of what is known and these, of which the newest `TAIL_LIMIT`; how many cannot be read."""
        if len(ids) == 0:
            return known, 0
        try:
            batches = [(ids, self._fetch(ids.tolist()))]
        except CorruptionError:
            return known, len(ids)  # `verify` names the damage; what is published can be searched all the same.
        kept = TAIL_LIMIT - len(ids)
        if known is not None and kept > 0:
            batches.insert(0, (known.ids[-kept:], known.vectors(np.arange(max(0, known.size - kept), known.size))))
        published = 0 if searcher.index is None else searcher.index.size
        # Stored as the next publication would store it, so that scores stay what they are.
        key = index_key(published + sum(len(batch[0]) for batch in batches), searcher.dim)
        return build_index(key, searcher.dim, batches), 0


def _look(session: Session, searchers: Mapping[str, Searcher], model_id: int) -> dict[str, Seen]:
    """One statement over a handful of rows: this is asked by every search."""
    rows = session.execute(_GROWTH, {"model": model_id}).all()
    scanned, chosen = (rows[0][0], rows[0][5]) if rows else (None, 0)
    grown = {row[1]: ((row[2], int(row[3] or 0)), row[4] or 0) for row in rows}
    return {
        kind: Seen(searcher.generation_id, scanned, *grown.get(kind, ((0, 0), 0)), chosen)
        for kind, searcher in searchers.items()
    }


def _only_grown(before: Seen, now: Seen) -> bool:
    """Whether vectors were added and nothing else was done: compaction rewrites segments under higher numbers."""
    same = (before.generation, before.scanned_at, before.choice) == (now.generation, now.scanned_at, now.choice)
    return same and now.segments[0] >= before.segments[0] and now.segments[1] > before.segments[1]


def _newer(session: Session, model_id: int, kind: str, last_id: int) -> tuple[NDArray[np.int64], int]:
    """Ids of embeddings that were added after this one, ascending, and the last id of any model and kind."""
    # Through the primary key: the index that the model's columns lead would be walked as a whole.
    query = select(Embedding.id, Embedding.model_id, Embedding.kind).where(Embedding.id > last_id)
    rows = session.execute(query.order_by(Embedding.id)).all()
    ids = np.fromiter((row.id for row in rows if (row.model_id, row.kind) == (model_id, kind)), np.int64)
    return ids, rows[-1].id if rows else last_id
