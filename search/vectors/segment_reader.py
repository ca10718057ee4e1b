"""Read segment files: in order with checksums, or single rows by number."""

from __future__ import annotations

import os
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.errors import CorruptionError
from search.vectors.durable import read_exactly
from search.vectors.segments import (
    BLOCK_HEAD,
    BLOCK_MAGIC,
    COUNTED,
    HEADER_BYTES,
    REPAIR,
    Position,
    SegmentFacts,
    check_header,
)

UNIT_TOLERANCE = 2e-3
"""How far a stored vector's length may be from 1: four times what float16 can do to it."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that were appended together.

    Attributes:
        offset_bytes: where the block begins in its file.
        first_row: number of its first row within the segment.
        ids: `(rows,)` int64 embedding ids; empty when only the place was asked for.
        vectors: `(rows, dim)` float32 as stored.
    """

    offset_bytes: int
    first_row: int
    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]

    @property
    def sound(self) -> NDArray[np.bool_]:
        """`(rows,)` bool: which vectors are finite and of unit length, as far as they were stored exactly."""
        # Written so that a NaN is not sound either.
        sound: NDArray[np.bool_] = np.abs(np.linalg.norm(self.vectors, axis=1) - 1.0) <= UNIT_TOLERANCE
        return sound


class SegmentReader:
    """Reads the committed part of one segment: in order with checksums, or single rows by number.

    Safe to use from several threads; holds one file descriptor until `close`.

    Args:
        path: the segment's file.
        facts: what its header must say.

    Raises:
        CorruptionError: the file is missing or is not this segment.
    """

    def __init__(self, path: Path, facts: SegmentFacts) -> None:
        self._path = path
        self._facts = facts
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise CorruptionError(f"The segment {path.name} is missing", remedy=REPAIR) from error
        try:
            self._dtype = check_header(self._descriptor, path, facts)
        except CorruptionError:
            os.close(self._descriptor)
            raise
        self._row_bytes = facts.dim * self._dtype.itemsize
        self._lock = threading.Lock()
        self._starts = np.zeros(1, np.int64), np.zeros(0, np.int64)
        self._walked = Position(0, HEADER_BYTES)

    def scan(self, end: Position, on_damage: Callable[[CorruptionError], None] | None = None) -> Iterator[Block]:
        """All blocks up to the committed end, in order, each checked against its CRC.

        Args:
            end: the committed end.
            on_damage: told of each damaged place instead of raising; a block whose head makes sense is stepped over,
                after a damaged head nothing more can be read.

        Raises:
            CorruptionError: a block is damaged, or the blocks do not end where the database says.
        """
        position = Position(0, HEADER_BYTES)
        while position.size_bytes < end.size_bytes:
            try:
                rows, crc = self._block_head(position, end)
            except CorruptionError as error:
                _tell(error, on_damage)
                return
            body_bytes = rows * (8 + self._row_bytes)
            body = read_exactly(self._descriptor, body_bytes, position.size_bytes + BLOCK_HEAD.size)
            if len(body) == body_bytes and zlib.crc32(body, zlib.crc32(COUNTED.pack(rows, position.rows))) == crc:
                yield self._unpack(position, rows, body)
            else:
                _tell(self._damaged(position, "the checksum of this block does not match"), on_damage)
            position = Position(position.rows + rows, position.size_bytes + BLOCK_HEAD.size + body_bytes)
        if position != end:
            what = f"{position.rows} rows end here instead of {end.rows} at byte {end.size_bytes}"
            _tell(self._damaged(position, what), on_damage)

    def fetch(self, rows: Sequence[int], ids: Sequence[int], end: Position) -> NDArray[np.float32]:
        """Single vectors by row number.

        Reads only those rows, so no checksum covers them; the id that is stored beside each must match.

        Args:
            rows: row numbers within the segment.
            ids: the embedding id that each row must have.
            end: the committed end.

        Returns:
            `(n, dim)` float32, in the order of `rows`.

        Raises:
            CorruptionError: a row lies behind the end, or belongs to another embedding.
        """
        firsts, offsets = self._walk(end)
        numbers = np.asarray(rows, np.int64)
        beyond = (numbers < 0) | (numbers >= end.rows)
        if beyond.any():
            raise self._damaged(end, f"row {numbers[beyond][0]} lies behind its {end.rows} rows")
        # Of each row: its place in its block, where that block's ids begin, and where its vectors do.
        block = np.searchsorted(firsts, numbers, side="right") - 1
        within = numbers - firsts[block]
        ids_at = offsets[block] + BLOCK_HEAD.size
        vectors_at = ids_at + 8 * (firsts[block + 1] - firsts[block])
        row_bytes = self._row_bytes
        stored_ids = _gather(self._descriptor, ids_at + 8 * within, 8)
        stored = _gather(self._descriptor, vectors_at + row_bytes * within, row_bytes)
        if len(stored) < len(rows) * row_bytes or stored_ids != np.asarray(ids, "<i8").tobytes():
            found = np.frombuffer(stored_ids[: len(stored_ids) // 8 * 8], "<i8").tolist()
            wrong = next(
                (pair for pair in zip(rows, ids, found, strict=False) if pair[1] != pair[2]), (rows[0], ids[0])
            )
            raise self._damaged(end, f"row {wrong[0]} is not embedding {wrong[1]}")
        return np.frombuffer(stored, self._dtype).reshape(len(rows), self._facts.dim).astype(np.float32)

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)

    def _unpack(self, position: Position, rows: int, body: bytes) -> Block:
        stored = np.frombuffer(body, self._dtype, offset=rows * 8).reshape(rows, self._facts.dim)
        return Block(
            offset_bytes=position.size_bytes,
            first_row=position.rows,
            ids=np.frombuffer(body, "<i8", count=rows).astype(np.int64),
            vectors=stored.astype(np.float32),
        )

    def _walk(self, end: Position) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find out where blocks begin, each of them once, for they never move.

        Returns:
            `(blocks + 1,)` int64, the first row of each and the row behind the last; `(blocks,)` int64, byte offsets.
        """
        with self._lock:
            walked = self._walked
            if walked.size_bytes < end.size_bytes:
                firsts, offsets = self._starts[0].tolist(), self._starts[1].tolist()
                while walked.size_bytes < end.size_bytes:
                    rows, _ = self._block_head(walked, end)
                    offsets.append(walked.size_bytes)
                    size_bytes = BLOCK_HEAD.size + rows * (8 + self._row_bytes)
                    walked = Position(walked.rows + rows, walked.size_bytes + size_bytes)
                    firsts.append(walked.rows)
                self._starts = np.asarray(firsts, np.int64), np.asarray(offsets, np.int64)
                self._walked = walked
            return self._starts

    def _block_head(self, position: Position, end: Position) -> tuple[int, int]:
        raw = read_exactly(self._descriptor, BLOCK_HEAD.size, position.size_bytes)
        if len(raw) < BLOCK_HEAD.size or raw[:4] != BLOCK_MAGIC:
            raise self._damaged(position, "no block begins here")
        _, rows, first_row, crc = BLOCK_HEAD.unpack(raw)
        if rows == 0 or first_row != position.rows or position.rows + rows > end.rows:
            raise self._damaged(position, f"its head counts {rows} rows from row {first_row}")
        return rows, crc

    def _damaged(self, position: Position, what: str) -> CorruptionError:
        return CorruptionError(f"{self._path.name} at byte {position.size_bytes}: {what}", remedy=REPAIR)


def _gather(descriptor: int, offsets: NDArray[np.int64], size_bytes: int) -> bytes:
    """The pieces of this size at these offsets, in order; those that follow each other are read at once."""
    if len(offsets) == 0:
        return b""
    firsts = np.flatnonzero(np.diff(offsets, prepend=offsets[0] - 1) != size_bytes)
    counts = np.diff(firsts, append=len(offsets))
    return b"".join(
        read_exactly(descriptor, count * size_bytes, offset)
        for count, offset in zip(counts.tolist(), offsets[firsts].tolist(), strict=True)
    )


def _tell(error: CorruptionError, on_damage: Callable[[CorruptionError], None] | None) -> None:
    if on_damage is None:
        raise error
    on_damage(error)
