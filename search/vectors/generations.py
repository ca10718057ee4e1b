"""Generations: derived, immutable index files, of which one row per model and kind names the active one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from search.ascending import is_member
from search.db.schema import Embedding, Generation, Model, Segment
from search.db.session import Database
from search.errors import CorruptionError
from search.vectors.durable import remove
from search.vectors.effort import QUERIES, Measured, calibrate, turned
from search.vectors.index import VectorIndex, build_index, sample_places, save_index
from search.vectors.live import ids_digest, live_ids
from search.vectors.policy import STORAGE, fast_key, index_key, may_wait
from search.vectors.segment_reader import SegmentReader
from search.vectors.segments import REPAIR, Position, SegmentFacts

SUFFIX = ".faiss"

TURNED = "pictures turned"
"""What an index was tried on where the library has hardly a text."""

_ENOUGH_TEXTS = 64


@dataclass(frozen=True, slots=True)
class SegmentPlace:
    """A segment's file and its committed end, as a snapshot of the database has them."""

    segment_id: int
    path: Path
    facts: SegmentFacts
    end: Position


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a new generation shall hold, from one snapshot."""

    kind: str
    dim: int
    ids: NDArray[np.int64]
    segments: Sequence[SegmentPlace]
    queries: NDArray[np.float32]


def active_generation(session: Session, model_id: int, kind: str) -> Generation | None:
    """The generation that readers follow, or None before the first publication."""
    return session.scalar(
        select(Generation).where(Generation.model_id == model_id, Generation.kind == kind, Generation.active)
    )


def answers_for(active: Generation | None, live: NDArray[np.int64], dim: int) -> bool:
    """Whether a generation need not be made again: it holds all that live, or lacks no more than may wait beside it.

    Args:
        active: None before the first publication.
        live: all embeddings that live, ascending.
        dim: of their vectors.
    """
    if active is None:
        return len(live) == 0
    # New ones have the highest ids; where others are missing or some are gone, the first are not what it holds.
    held = live[: active.vectors]
    fresh = len(live) - len(held)
    return active.ids_sha256 == ids_digest(held) and (fresh == 0 or may_wait(len(held), fresh, dim))


def segment_places(session: Session, folder: Path, library_uid: str, model: Model, kind: str) -> list[SegmentPlace]:
    """The segments of one model and kind, in the order in which they were begun."""
    rows = session.scalars(
        select(Segment).where(Segment.model_id == model.id, Segment.kind == kind).order_by(Segment.id)
    )
    facts = SegmentFacts(model.dim, kind, model.identity, library_uid)
    return [
        SegmentPlace(row.id, folder / row.file_name, facts, Position(row.committed_rows, row.committed_bytes))
        for row in rows
    ]


class Generations:
    """Builds and activates generations.

    Args:
        database: where the rows are.
        segments: folder of the segment files.
        folder: folder of the generation files.
        library_uid: what the segments' headers must say.
    """

    def __init__(self, database: Database, segments: Path, folder: Path, library_uid: str) -> None:
        self._database = database
        self._segments = segments
        self._folder = folder
        self._library_uid = library_uid

    def publish(self, model_id: int, kind: str, *, force: bool = False) -> bool:
        """Make the live set of this moment the active generation; the caller holds the library's lock.

        Returns:
            Whether there is a new generation: if forced, or if the active one holds what lives no more or lacks more
            than may wait beside it (`search.vectors.policy`).

        Raises:
            CorruptionError: a segment is damaged, or a live embedding is in none.
            LibraryError: the file cannot be written.
        """
        plan = self._plan(model_id, kind, force=force)
        if plan is None:
            return False
        if not force and self._published_again(plan, model_id):
            return True
        key = index_key(len(plan.ids), plan.dim)
        index = build_index(key, plan.dim, _stored_vectors(plan))
        if index.size != len(plan.ids):
            raise CorruptionError(
                f"{len(plan.ids) - index.size} of {len(plan.ids)} {kind} embeddings are in no segment", remedy=REPAIR
            )
        key, index, measured = self._coded(plan, key, index)
        # A random name: the number of the row is not known before the transaction that makes the file live.
        path = self._folder / f"{kind}-m{model_id}-{secrets.token_hex(8)}{SUFFIX}"
        sha256, size_bytes = save_index(index, path)
        with self._database.write() as session:
            session.execute(
                update(Generation)
                .where(Generation.model_id == model_id, Generation.kind == kind, Generation.active)
                .values(active=False)
            )
            session.add(
                Generation(
                    model_id=model_id,
                    kind=kind,
                    file_name=path.name,
                    index_key=key,
                    vectors=len(plan.ids),
                    ids_sha256=ids_digest(plan.ids),
                    sha256=sha256,
                    size_bytes=size_bytes,
                    measured=None if measured is None else measured.as_json(),
                    active=True,
                    created_at=datetime.now(UTC),
                )
            )
        # Forced means repair: the generation before may be the damaged one.
        self.retire(model_id, kind, keep=1 if force else 2)
        return True

    def _published_again(self, plan: _Plan, model_id: int) -> bool:
        """Let a former generation answer that holds exactly what lives, as when what rested is told again."""
        with self._database.write() as session:
            mine = (Generation.model_id == model_id, Generation.kind == plan.kind)
            rows = session.scalars(select(Generation).where(*mine, Generation.ids_sha256 == ids_digest(plan.ids))).all()
            former = [] if any(row.active for row in rows) else rows
            there = next((row for row in former if _is_whole(self._folder / row.file_name, row)), None)
            if there is None:
                return False
            session.execute(update(Generation).where(*mine, Generation.active).values(active=False))
            session.flush()
            there.active = True
        return True

    def _coded(self, plan: _Plan, key: str, index: VectorIndex) -> tuple[str, VectorIndex, Measured | None]:
        """Put codes before a large index, where an effort finds with them what the scan finds."""
        codes = fast_key(plan.dim)
        if key != STORAGE or codes is None:
            return key, index, None
        coded = index.with_codes(codes)
        queries, of = plan.queries, "texts"
        if len(queries) < _ENOUGH_TEXTS:
            queries, of = turned(index.sample(QUERIES), 0.2), TURNED
        elif plan.kind == "text":
            # Against themselves they would find themselves, and tell nothing of other words for the same.
            queries, of = turned(queries, 0.8), "texts turned"
        measured = calibrate(coded, queries, of)
        if measured.effort is None:
            return key, index, measured
        return f"{codes},Refine({STORAGE})", coded, measured

    def retire(self, model_id: int, kind: str, *, keep: int = 2) -> None:
        """Delete all but the active generation and the one before it, which a reader may be about to load.

        Rows go first: a row without its file would be damage, a file without its row is only a leftover.
        """
        with self._database.write() as session:
            rows = session.scalars(
                select(Generation)
                .where(Generation.model_id == model_id, Generation.kind == kind)
                .order_by(Generation.active.desc(), Generation.id.desc())
            ).all()
            old = [row.file_name for row in rows[keep:]]
            for row in rows[keep:]:
                session.delete(row)
        for file_name in old:
            remove(self._folder / file_name)

    def _plan(self, model_id: int, kind: str, *, force: bool) -> _Plan | None:
        with self._database.read() as session:
            ids = live_ids(session, model_id, kind)
            active = active_generation(session, model_id, kind)
            if active is None and len(ids) == 0:
                return None
            model = session.get_one(Model, model_id)
            large = index_key(len(ids), model.dim) == STORAGE
            good = not force and answers_for(active, ids, model.dim)
            if good and not (large and _may_do_better(active, model.dim)):
                return None
            queries = self._texts(session, model) if large else np.empty((0, model.dim), np.float32)
            if good and len(queries) < _ENOUGH_TEXTS:
                return None
            places = segment_places(session, self._segments, self._library_uid, model, kind)
            return _Plan(kind, model.dim, ids, places, queries)

    def _texts(self, session: Session, model: Model) -> NDArray[np.float32]:
        """`(n, dim)` vectors of texts of the library, spread evenly: what an index is tried on."""
        ids = live_ids(session, model.id, "text")
        chosen = ids[sample_places(len(ids), QUERIES)].tolist()
        query = select(Embedding.segment_id, Embedding.segment_row, Embedding.id).where(Embedding.id.in_(chosen))
        rows = session.execute(query.order_by(Embedding.id)).all()
        found = [np.empty((0, model.dim), np.float32)]
        for place in segment_places(session, self._segments, self._library_uid, model, "text"):
            mine = [(row.segment_row, row.id) for row in rows if row.segment_id == place.segment_id]
            if mine:
                reader = SegmentReader(place.path, place.facts)
                try:
                    found.append(reader.fetch([row for row, _ in mine], [id_ for _, id_ in mine], place.end))
                finally:
                    reader.close()
        return np.concatenate(found)


def _is_whole(path: Path, row: Generation) -> bool:
    """Whether the file is there at its full length; whoever loads it compares its checksum."""
    return path.is_file() and path.stat().st_size == row.size_bytes


def _may_do_better(active: Generation | None, dim: int) -> bool:
    """Whether a large index was tried on turned pictures for want of texts, or never: by a version that noted nothing
    where it counted one of two equal vectors as wrong."""
    if active is None or fast_key(dim) is None:
        return False
    return active.measured is None or active.measured.get("of") == TURNED


def _stored_vectors(plan: _Plan) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    for place in plan.segments:
        reader = SegmentReader(place.path, place.facts)
        try:
            for block in reader.scan(place.end):
                wanted = is_member(block.ids, plan.ids)
                yield block.ids[wanted], block.vectors[wanted]
        finally:
            reader.close()
