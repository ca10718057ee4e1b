"""Rewrite segments without what nobody can use: dead rows, damaged blocks, vectors without a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from search.ascending import is_member
from search.db.chunks import chunks
from search.db.schema import Embedding, Model, Segment
from search.db.session import Database
from search.errors import CorruptionError
from search.vectors.durable import remove
from search.vectors.generations import SegmentPlace, segment_places
from search.vectors.live import KINDS, OWNERS
from search.vectors.segment_reader import SegmentReader
from search.vectors.segments import Position, append_block
from search.vectors.store import VectorStore


@dataclass(slots=True)
class CompactReport:
    """What compaction has done.

    Attributes:
        segments: files rewritten or removed.
        dead: vectors dropped because their image or text is gone.
        lost: vectors that could not be read; `index` embeds them again.
        freed_bytes: by how much the segments have shrunk.
    """

    segments: int = 0
    dead: int = 0
    lost: int = 0
    freed_bytes: int = 0


def compact_segments(database: Database, store: VectorStore, *, only_whole: bool = False) -> CompactReport:
    """Rewrite every segment that holds something useless; the caller holds the library's lock.

    One transaction per segment: the new file is on disk before the rows move to it, and the old one goes after they
    have. Killed anywhere in between, the library is whole, and the leftover file is removed by the next bulk job.

    Args:
        database: where the rows are.
        store: where the segments are.
        only_whole: leave segments alone that hold anything unreadable.
    """
    report = CompactReport()
    with database.read() as session:
        places = [
            (model.id, place)
            for model in session.scalars(select(Model).order_by(Model.id))
            for kind in KINDS
            for place in segment_places(session, store.segments_folder, store.library_uid, model, kind)
        ]
    for model_id, place in places:
        if _compact(database, store, model_id, place, report, only_whole=only_whole):
            remove(place.path)
    return report


def _compact(
    database: Database,
    store: VectorStore,
    model_id: int,
    place: SegmentPlace,
    report: CompactReport,
    *,
    only_whole: bool,
) -> bool:
    with database.write() as session:
        owner = func.coalesce(*OWNERS.values()).label("owner")
        query = select(Embedding.id, Embedding.segment_row, owner)
        rows = {row.segment_row: row for row in session.execute(query.where(Embedding.segment_id == place.segment_id))}
        readable, whole = _readable_ids(place)
        keep = {row.id for number, row in rows.items() if readable.get(number) == row.id and row.owner is not None}
        if whole and len(keep) == len(rows) == len(readable):
            return False
        lost = sum(readable.get(number) != row.id for number, row in rows.items())
        if only_whole and (lost or not whole):
            return False
        report.segments += 1
        report.lost += lost
        report.dead += len(rows) - len(keep) - lost
        report.freed_bytes += place.end.size_bytes
        if keep:
            report.freed_bytes -= _move(session, store, model_id, place, np.array(sorted(keep), np.int64))
        session.execute(delete(Embedding).where(Embedding.segment_id == place.segment_id))
        session.execute(delete(Segment).where(Segment.id == place.segment_id))
    return True


def _readable_ids(place: SegmentPlace) -> tuple[dict[int, int], bool]:
    """Embedding id by row number for every vector that can be used, and whether that is all of them."""
    ids: dict[int, int] = {}
    broken = 0
    damage: list[CorruptionError] = []
    try:
        reader = SegmentReader(place.path, place.facts)
    except CorruptionError:
        return ids, False
    try:
        for block in reader.scan(place.end, damage.append):
            numbers = np.flatnonzero(block.sound)
            ids.update(zip((block.first_row + numbers).tolist(), block.ids[numbers].tolist(), strict=True))
            broken += len(block.ids) - len(numbers)
    finally:
        reader.close()
    return ids, not damage and not broken


def _move(session: Session, store: VectorStore, model_id: int, place: SegmentPlace, keep: NDArray[np.int64]) -> int:
    """Copy what is kept into a new segment and point the rows there; returns the new file's size in bytes."""
    model = session.get_one(Model, model_id)
    sealed = session.get_one(Segment, place.segment_id).sealed
    segment, path = store.begin_segment(session, model, place.facts.kind)
    end = Position(0, segment.committed_bytes)
    damage: list[CorruptionError] = []
    reader = SegmentReader(place.path, place.facts)
    try:
        for block in reader.scan(place.end, damage.append):
            wanted = is_member(block.ids, keep) & block.sound
            if not wanted.any():
                continue
            ids = block.ids[wanted].tolist()
            moved = [
                {"id": id_, "segment_id": segment.id, "segment_row": end.rows + row} for row, id_ in enumerate(ids)
            ]
            for some in chunks(moved, 5000):
                session.execute(update(Embedding), some)
            end = append_block(path, place.facts, end, ids, block.vectors[wanted])
    finally:
        reader.close()
    segment.committed_rows, segment.committed_bytes, segment.sealed = end.rows, end.size_bytes, sealed
    session.flush()
    return end.size_bytes
