"""The vectors of a library, to Parquet and back: ids and owners beside them, a file for each model and kind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from search.db.schema import Embedding, Model, Segment
from search.errors import CorruptionError, ExportFormatError
from search.library import Library
from search.portable.inserting import HOSTILE, insert_rows
from search.portable.parquet import GROUP_ROWS, Parquet
from search.vectors.generations import SegmentPlace, segment_places
from search.vectors.live import KINDS, OWNERS
from search.vectors.segment_reader import UNIT_TOLERANCE, SegmentReader
from search.vectors.segments import REPAIR, Position, SegmentFacts, append_block
from search.vectors.store import VectorStore

_EMBEDDINGS: Table = Embedding.metadata.tables["embeddings"]


@dataclass(frozen=True, slots=True)
class Space:
    """The vectors of one model and kind, with their segments held open: a job may delete the files meanwhile."""

    model: Model
    kind: str
    segments: tuple[tuple[SegmentPlace, SegmentReader], ...]

    @property
    def file_name(self) -> str:
        """Of the Parquet file."""
        return vectors_file(self.model.id, self.kind)


def vectors_file(model_id: int, kind: str) -> str:
    """The name of the Parquet file of one model and kind."""
    return f"vectors-m{model_id}-{kind}.parquet"


def open_spaces(library: Library, session: Session, stack: contextlib.ExitStack) -> list[Space]:
    """Every space of which there are vectors, as the session sees them.

    Args:
        stack: closes the files.

    Raises:
        CorruptionError: a segment is missing, or not what it should be.
    """
    store = library.vectors
    spaces: list[Space] = []
    for model in session.scalars(select(Model).order_by(Model.id)):
        for kind in KINDS:
            opened = []
            for place in segment_places(session, store.segments_folder, store.library_uid, model, kind):
                reader = SegmentReader(place.path, place.facts)
                stack.callback(reader.close)
                opened.append((place, reader))
            if opened:
                spaces.append(Space(model, kind, tuple(opened)))
    return spaces


def write_vectors(
    session: Session, parquet: Parquet, space: Space, path: Path, on_rows: Callable[[int], None]
) -> tuple[int, int]:
    """Write the vectors of a space that belong to something.

    Args:
        on_rows: told of each row group.

    Returns:
        How many were written, and how many were left out because nothing owns them any more.

    Raises:
        CorruptionError: a vector is not where its row says, or is none.
        LibraryError: the file cannot be written.
    """
    owner, dim = OWNERS[space.kind].key, space.model.dim
    schema = parquet.vectors_schema(owner, dim)
    written = dead = 0
    with parquet.writing(path, schema, split=["vector.list.element"]) as write:
        for place, reader in space.segments:
            for ids, owners, vectors in _owned(session, space.kind, place, reader):
                kept = owners >= 0
                dead += int((~kept).sum())
                numbers = parquet.arrow.array(vectors[kept].ravel())
                column = parquet.arrow.FixedSizeListArray.from_arrays(numbers, type=schema.field("vector").type)
                write({"id": ids[kept], owner: owners[kept], "vector": column})
                written += int(kept.sum())
                on_rows(len(ids))
    return written, dead


_Owned = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]


def _owned(session: Session, kind: str, place: SegmentPlace, reader: SegmentReader) -> Iterator[_Owned]:
    """Ids, owners (-1 for none) and vectors of a segment, up to about `GROUP_ROWS` at a time."""
    query = select(Embedding.segment_row, Embedding.id, OWNERS[kind]).where(Embedding.segment_id == place.segment_id)
    rows = iter(session.execute(query.order_by(Embedding.segment_row).execution_options(yield_per=GROUP_ROWS)))
    row = next(rows, None)
    waiting: list[_Owned] = []
    for block in reader.scan(place.end):
        numbers: list[tuple[int, int, int]] = []
        while row is not None and row[0] < block.first_row + len(block.ids):
            numbers.append((row[0] - block.first_row, row[1], -1 if row[2] is None else row[2]))
            row = next(rows, None)
        places, ids, owners = np.array(numbers, np.int64).reshape(-1, 3).T
        if (places < 0).any() or not np.array_equal(block.ids[places], ids) or not block.sound[places].all():
            raise CorruptionError(
                f"{place.path.name} at byte {block.offset_bytes}: a vector is none, or not of the row that names it",
                remedy=REPAIR,
            )
        waiting.append((ids, owners, block.vectors[places]))
        if sum(len(some[0]) for some in waiting) >= GROUP_ROWS:
            yield from _parted(_joined(waiting))
            waiting = []
    if row is not None:
        raise CorruptionError(f"{place.path.name} has no vector for the embedding {row[1]}", remedy=REPAIR)
    if waiting:
        yield _joined(waiting)


def _parted(some: _Owned) -> Iterator[_Owned]:
    """In row groups: a block holds as much as a job has appended at once."""
    for first in range(0, len(some[0]), GROUP_ROWS):
        part = slice(first, first + GROUP_ROWS)
        yield some[0][part], some[1][part], some[2][part]


def _joined(some: list[_Owned]) -> _Owned:
    ids, owners, vectors = zip(*some, strict=True)
    return np.concatenate(ids), np.concatenate(owners), np.concatenate(vectors)


def restore_vectors(
    session: Session, store: VectorStore, parquet: Parquet, model: Model, kind: str, path: Path
) -> Iterator[int]:
    """Store the vectors of a file under their own ids; yields how many, batch by batch.

    Args:
        session: the writing one; the caller holds the library's lock.
        store: of the library, which has no vectors of this model and kind.

    Raises:
        ExportFormatError: a vector is none, or its id or owner cannot be.
        LibraryError: a segment cannot be written.
    """
    facts = SegmentFacts(model.dim, kind, model.identity, store.library_uid)
    segment: Segment | None = None
    for batch in parquet.read(path):
        ids, owners, vectors = _checked_batch(batch, model.dim, path.name)
        if segment is None or segment.committed_bytes >= store.segment_limit_bytes:
            if segment is not None:
                session.execute(update(Segment).where(Segment.id == segment.id).values(sealed=True))
            segment, _ = store.begin_segment(session, model, kind)
        end = Position(segment.committed_rows, segment.committed_bytes)
        nobody = dict.fromkeys(owner.key for owner in OWNERS.values())
        rows: list[dict[str, Any]] = [
            {**nobody, "id": id_, "model_id": model.id, "kind": kind, OWNERS[kind].key: owner}
            | {"segment_id": segment.id, "segment_row": number}
            for number, (id_, owner) in enumerate(zip(ids, owners, strict=True), start=end.rows)
        ]
        insert_rows(session, _EMBEDDINGS, rows, path.name)
        end = append_block(store.segments_folder / segment.file_name, facts, end, ids, vectors)
        segment.committed_rows, segment.committed_bytes = end.rows, end.size_bytes
        session.flush()
        yield len(ids)


def _checked_batch(batch: Any, dim: int, where: str) -> tuple[list[int], list[int], NDArray[np.float32]]:
    if any(one.null_count for one in batch.columns) or batch.column(2).flatten().null_count:
        raise ExportFormatError(f"{where} has an id, an owner or a vector that is empty", remedy=HOSTILE)
    ids, owners = batch.column(0).to_pylist(), batch.column(1).to_pylist()
    vectors: NDArray[np.float32] = batch.column(2).flatten().to_numpy(zero_copy_only=False).reshape(len(ids), dim)
    if ids and not 0 < min(ids) <= max(ids) < 2**62:
        raise ExportFormatError(f"{where} has an id that none can be", remedy=HOSTILE)
    with np.errstate(all="ignore"):  # what overflows is not sound either
        lengths = np.linalg.norm(vectors.astype(np.float16).astype(np.float32), axis=1)
    sound = np.abs(lengths - 1.0) <= UNIT_TOLERANCE  # written so that a NaN is not sound either
    if not sound.all():
        wrong = ids[int(np.flatnonzero(~sound)[0])]
        raise ExportFormatError(f"{where}: the vector {wrong} is not finite and of unit length", remedy=HOSTILE)
    return ids, owners, vectors
