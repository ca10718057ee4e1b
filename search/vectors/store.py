"""The vector store: append embeddings, fetch them, publish them, search them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import Embedding, Generation, Model, Segment
from search.db.session import Database
from search.errors import LibraryError, NotFoundError
from search.vectors.generations import Generations, SegmentPlace, segment_places
from search.vectors.live import KINDS, OWNERS
from search.vectors.searcher import Followed, Searcher, Searchers
from search.vectors.segment_reader import SegmentReader
from search.vectors.segments import Position, SegmentFacts, append_block, create_segment, cut_tail
from search.vectors.tail import Tails
from vision.whole_files import fsync_folder

SEGMENT_LIMIT_BYTES = 256 * 1024 * 1024
"""Size from which on a new segment is begun: what `rebuild --compact` rewrites at a time."""


class VectorStore:
    """All vectors of a library: segments are the record, generations are what is searched.

    Args:
        home: the library's folder.
        database: where the rows are.
        library_uid: 32 hex digits, written into each segment.
        guard: a context that holds the library's lock, taking it where nobody in this library has.
        segment_limit_bytes: size from which on a new segment is begun.
    """

    def __init__(
        self,
        home: Path,
        database: Database,
        library_uid: str,
        guard: Callable[[], AbstractContextManager[None]],
        segment_limit_bytes: int = SEGMENT_LIMIT_BYTES,
    ) -> None:
        self.segments_folder = home / "segments"
        self.generations_folder = home / "generations"
        self.library_uid = library_uid
        self._database = database
        self._guard = guard
        self.segment_limit_bytes = segment_limit_bytes
        self.generations = Generations(database, self.segments_folder, self.generations_folder, library_uid)
        self._lock = threading.Lock()
        self._searchers = Searchers(database, self.generations_folder)
        self._readers: dict[int, SegmentReader] = {}
        self._tails = Tails(database, self.fetch)

    def append(
        self, session: Session, model: Model, kind: str, owner_ids: Sequence[int], vectors: NDArray[np.float32]
    ) -> list[int]:
        """Store one vector per owner; on disk when this returns, real when the session commits.

        Args:
            session: from `Library.write()`.
            model: whose vectors they are.
            kind: one of `KINDS`: what the owners are.
            owner_ids: ids of images or texts, each without a vector of this model so far.
            vectors: `(n, dim)` float32, L2-normalised, in the order of the owners.

        Returns:
            The new embedding ids, in order.

        Raises:
            ValueError: kind or shape is wrong, or a vector is not finite and of unit length.
            LibraryBusyError: another process holds the library.
            LibraryError: an owner has a vector already, or the file cannot be written.
            CorruptionError: the segment to append to is damaged.
        """
        _check_vectors(kind, model.dim, owner_ids, vectors)
        if len(owner_ids) == 0:
            return []
        _check_owners(session, model, kind, owner_ids)
        with self._guard():
            segment, facts = self._open_segment(session, model, kind)
            end = Position(segment.committed_rows, segment.committed_bytes)
            owner = OWNERS[kind].key
            rows = [
                {"model_id": model.id, "kind": kind, owner: owner_id, "segment_id": segment.id, "segment_row": row}
                for row, owner_id in enumerate(owner_ids, start=end.rows)
            ]
            ids = list(session.scalars(insert(Embedding).returning(Embedding.id, sort_by_parameter_order=True), rows))
            end = append_block(self.segments_folder / segment.file_name, facts, end, ids, vectors)
            segment.committed_rows, segment.committed_bytes = end.rows, end.size_bytes
            session.flush()
        return ids

    def fetch(self, embedding_ids: Sequence[int]) -> NDArray[np.float32]:
        """Stored vectors of one model, as published or not.

        Args:
            embedding_ids: at least one, in any order, repeated or not.

        Returns:
            `(n, dim)` float32 in the order asked for.

        Raises:
            ValueError: no id was given, or the embeddings are of several models.
            NotFoundError: there is no such embedding.
            CorruptionError: its segment is damaged.
        """
        if len(embedding_ids) == 0:
            raise ValueError("fetch needs at least one embedding id")
        places, rows = self._places(embedding_ids)
        dims = {place.facts.model_identity: place.facts.dim for place in places.values()}
        if len(dims) != 1:
            raise ValueError("fetch reads vectors of one model at a time")
        found: dict[int, NDArray[np.float32]] = {}
        for segment_id, place in places.items():
            wanted = [(row, embedding_id) for embedding_id, (segment, row) in rows.items() if segment == segment_id]
            reader = self._reader(place)
            read = reader.fetch([row for row, _ in wanted], [embedding_id for _, embedding_id in wanted], place.end)
            found.update({embedding_id: vector for (_, embedding_id), vector in zip(wanted, read, strict=True)})
        return np.stack([found[embedding_id] for embedding_id in embedding_ids])

    def publish(self, model_id: int, kind: str, *, force: bool = False) -> bool:
        """Make what lives now searchable, a few new vectors apart; see `Generations.publish`.

        Raises:
            ValueError: `kind` is none of `KINDS`.
            LibraryBusyError: another process holds the library.
        """
        _check_kind(kind)
        with self._guard():
            return self.generations.publish(model_id, kind, force=force)

    def searcher(self, model_id: int, kind: str) -> Searcher:
        """The active generation; cheap when it is the one that was asked for last time.

        Raises:
            ValueError: `kind` is none of `KINDS`.
            NotFoundError: there is no such model.
            CorruptionError: its file is missing or not what was written; the remedy is `deixis rebuild`.
        """
        _check_kind(kind)
        return self._searchers.current(model_id, kind)

    def everything(self, model_id: int, kind: str) -> Searcher:
        """Like `searcher`, with what is committed and not published yet; `waiting` says how many are left out.

        Raises:
            ValueError: `kind` is none of `KINDS`.
            NotFoundError: there is no such model.
            CorruptionError: the generation's file is missing or not what was written.
        """
        return self._tails.beside(self.searcher(model_id, kind), model_id, kind)

    def searchers_of(
        self, session: Session, model_id: int, kinds: Sequence[str], known: Followed | None = None
    ) -> dict[str, Searcher]:
        """Like `everything` for several kinds, in the snapshot of one session and with few statements.

        Args:
            known: which generations are active, where the caller has looked.

        Raises:
            CorruptionError: a generation's file is missing or not what was written.
        """
        found = self._searchers.of(session, model_id, kinds, known)
        return self._tails.beside_all(session, found, model_id)

    def recover(self) -> None:
        """Remove what interrupted runs have left: bytes behind committed ends, files that no row names.

        The caller holds the library's lock and no transaction.
        """
        # Within the writing transaction, for only then is nobody between writing a file and committing its row.
        with self._database.write() as session:
            ends = {row.file_name: row.committed_bytes for row in session.scalars(select(Segment))}
            indexes = set(session.scalars(select(Generation.file_name)))
            for file_name, committed_bytes in ends.items():
                cut_tail(self.segments_folder / file_name, committed_bytes)
            _remove_strays(self.segments_folder, set(ends))
            _remove_strays(self.generations_folder, indexes)

    def close(self) -> None:
        """Give files and memory back."""
        with self._lock:
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()
        self._searchers.clear()
        self._tails.clear()

    def _open_segment(self, session: Session, model: Model, kind: str) -> tuple[Segment, SegmentFacts]:
        """The segment to append to: the last one, or a new one when that is full."""
        facts = SegmentFacts(model.dim, kind, model.identity, self.library_uid)
        mine = (Segment.model_id == model.id, Segment.kind == kind)
        segment = session.scalar(select(Segment).where(*mine, ~Segment.sealed).order_by(Segment.id.desc()).limit(1))
        if segment is not None and segment.committed_bytes < self.segment_limit_bytes:
            return segment, facts
        session.execute(update(Segment).where(*mine).values(sealed=True))
        return self.begin_segment(session, model, kind)[0], facts

    def begin_segment(self, session: Session, model: Model, kind: str) -> tuple[Segment, Path]:
        """A new, empty segment: its row in this transaction, its file on disk.

        Returns:
            The row and the file's path.

        Raises:
            LibraryError: the file cannot be written.
        """
        segment = Segment(
            model_id=model.id,
            kind=kind,
            file_name=secrets.token_hex(16),
            committed_rows=0,
            committed_bytes=0,
            sealed=False,
            created_at=datetime.now(UTC),
        )
        session.add(segment)
        session.flush()
        # Named by its number, which SQLite gives again after a rollback: what that left is written over.
        segment.file_name = f"{kind}-m{model.id}-{segment.id:06}.seg"
        path = self.segments_folder / segment.file_name
        segment.committed_bytes = create_segment(path, SegmentFacts(model.dim, kind, model.identity, self.library_uid))
        session.flush()
        return segment, path

    def _places(self, embedding_ids: Sequence[int]) -> tuple[dict[int, SegmentPlace], dict[int, tuple[int, int]]]:
        """Segments by id, and `(segment id, row)` by embedding id."""
        rows: dict[int, tuple[int, int]] = {}
        with self._database.read() as session:
            for some in chunks(list(dict.fromkeys(embedding_ids))):
                query = select(Embedding.id, Embedding.segment_id, Embedding.segment_row).where(Embedding.id.in_(some))
                rows.update({row.id: (row.segment_id, row.segment_row) for row in session.execute(query)})
            for embedding_id in embedding_ids:
                if embedding_id not in rows:
                    raise NotFoundError(f"There is no embedding {embedding_id} in this library")
            places: dict[int, SegmentPlace] = {}
            for segment_id in {segment_id for segment_id, _ in rows.values()} - places.keys():
                segment = session.get_one(Segment, segment_id)
                model = session.get_one(Model, segment.model_id)
                for place in segment_places(session, self.segments_folder, self.library_uid, model, segment.kind):
                    places[place.segment_id] = place
        used = {segment_id for segment_id, _ in rows.values()}
        return {segment_id: place for segment_id, place in places.items() if segment_id in used}, rows

    def _reader(self, place: SegmentPlace) -> SegmentReader:
        with self._lock:
            if place.segment_id not in self._readers:
                self._readers[place.segment_id] = SegmentReader(place.path, place.facts)
            return self._readers[place.segment_id]


def _remove_strays(folder: Path, known: set[str]) -> None:
    if not folder.is_dir():
        return
    strays = [path for path in folder.iterdir() if path.name not in known and path.is_file()]
    for path in strays:
        path.unlink(missing_ok=True)
    if strays:
        fsync_folder(folder)


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {KINDS}, got {kind!r}")


def _check_vectors(kind: str, dim: int, owner_ids: Sequence[int], vectors: NDArray[np.float32]) -> None:
    _check_kind(kind)
    if vectors.shape != (len(owner_ids), dim):
        raise ValueError(f"vectors must be ({len(owner_ids)}, {dim}), got {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1)
    # Written so that a NaN fails as well.
    if not np.all(np.abs(lengths - 1.0) < 1e-3):
        raise ValueError("vectors must be finite and of unit length")


def _check_owners(session: Session, model: Model, kind: str, owner_ids: Sequence[int]) -> None:
    owner = OWNERS[kind]
    taken: list[int] = []
    for some in chunks(list(owner_ids)):
        query = select(owner).where(Embedding.model_id == model.id, owner.in_(some))
        taken += [owner_id for owner_id in session.scalars(query) if owner_id is not None]
    if taken or len(set(owner_ids)) < len(owner_ids):
        raise LibraryError(f"The {kind}s {sorted(taken) or 'of one batch'} have a vector of this model already")
