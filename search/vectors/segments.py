"""Segment files: append-only, checksummed blocks of vectors, the record that every index is made from.

Layout, little-endian (docs/formats.md has the table): a 128-byte header, then blocks. A block is a 24-byte block
header, its embedding ids as int64, its vectors row by row, and covers all of it but its own first four bytes and the
checksum with a CRC-32. Nothing is ever changed in place; what lies behind the committed end is not part of the file.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.errors import CorruptionError
from search.vectors.durable import read_exactly, write_all, writing_to
from search.vectors.live import CODES
from vision.whole_files import fsync_folder

MAGIC = b"\x89DXSEG\r\n"
"""Bytes that a transfer in text mode would damage, as in PNG."""

FORMAT_VERSION = 1
HEADER_BYTES = 128
BLOCK_MAGIC = b"BLK1"

StoredDtype: TypeAlias = np.dtype[np.float16] | np.dtype[np.float32]
DTYPES: dict[int, StoredDtype] = {1: np.dtype("<f2"), 2: np.dtype("<f4")}
STORED_DTYPE = 1
"""New segments hold float16: half the bytes, and no visible difference (docs/decisions/0001-vectors-in-segments.md)."""

_HEADER = struct.Struct("<8sHHHHI32s16s")
_CRC = struct.Struct("<I")
BLOCK_HEAD = struct.Struct("<4sIQI4x")
COUNTED = struct.Struct("<IQ")

REPAIR = "Run `deixis rebuild --compact`, then `deixis index`: what cannot be read is embedded again."


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """What a segment's header says about all of its vectors.

    Attributes:
        dim: length of one vector.
        kind: one of `search.vectors.live.KINDS`.
        model_identity: `EncoderFacts.identity`, 64 hex digits.
        library_uid: 32 hex digits.
    """

    dim: int
    kind: str
    model_identity: str
    library_uid: str


def create_segment(path: Path, facts: SegmentFacts) -> int:
    """Write an empty segment over whatever an interrupted run left under this name.

    Returns:
        Its size in bytes.

    Raises:
        LibraryError: the file cannot be written.
    """
    kind_code = CODES[facts.kind]
    packed = _HEADER.pack(
        MAGIC,
        FORMAT_VERSION,
        STORED_DTYPE,
        kind_code,
        0,
        facts.dim,
        bytes.fromhex(facts.model_identity),
        bytes.fromhex(facts.library_uid),
    ).ljust(HEADER_BYTES - _CRC.size, b"\0")
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, packed + _CRC.pack(zlib.crc32(packed)), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        fsync_folder(path.parent)
    return HEADER_BYTES


@dataclass(frozen=True, slots=True)
class Position:
    """A committed end: `rows` vectors in the first `size_bytes` bytes."""

    rows: int
    size_bytes: int


def append_block(
    path: Path, facts: SegmentFacts, end: Position, ids: Sequence[int], vectors: NDArray[np.float32]
) -> Position:
    """Write one block behind the committed end and wait until it is on disk.

    What lies behind the end, left by a killed process or a transaction that was rolled back, is cut off first. The
    caller holds the writing transaction, so nobody else is appending.

    Args:
        path: the segment's file.
        facts: what its header must say.
        end: its committed end in this transaction.
        ids: one embedding id per vector.
        vectors: `(n, dim)` float32.

    Returns:
        The new end, real once the transaction commits.

    Raises:
        CorruptionError: the file is missing, shorter than its committed end, or another segment than expected.
        LibraryError: the file cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise CorruptionError(f"The segment {path.name} is missing", remedy=REPAIR) from error
    try:
        block = _pack_block(end.rows, ids, vectors.astype(check_header(descriptor, path, facts)))
        size_bytes = os.fstat(descriptor).st_size
        if size_bytes < end.size_bytes:
            raise CorruptionError(
                f"The segment {path.name} has {size_bytes} bytes instead of {end.size_bytes}", remedy=REPAIR
            )
        with writing_to(path):
            os.ftruncate(descriptor, end.size_bytes)
            write_all(descriptor, block, end.size_bytes)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Position(end.rows + len(ids), end.size_bytes + len(block))


def _pack_block(first_row: int, ids: Sequence[int], stored: NDArray[np.floating]) -> bytes:
    body = np.asarray(ids, "<i8").tobytes() + stored.tobytes()
    crc = zlib.crc32(body, zlib.crc32(COUNTED.pack(len(ids), first_row)))
    return BLOCK_HEAD.pack(BLOCK_MAGIC, len(ids), first_row, crc) + body


def cut_tail(path: Path, committed_bytes: int) -> bool:
    """Remove what lies behind the committed end; returns whether there was anything.

    The caller holds both the library's lock and the writing transaction.
    """
    if not path.is_file() or path.stat().st_size <= committed_bytes:
        return False
    with writing_to(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, committed_bytes)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return True


def library_of(path: Path) -> str | None:
    """The uid of the library that a segment file says it belongs to; None where it is missing or no segment."""
    try:
        with path.open("rb") as file:
            raw = file.read(HEADER_BYTES)
    except OSError:
        return None
    if len(raw) < HEADER_BYTES or raw[: len(MAGIC)] != MAGIC:
        return None
    return str(_HEADER.unpack_from(raw)[-1].hex())


def check_header(descriptor: int, path: Path, expected: SegmentFacts) -> StoredDtype:
    """Compare a segment's header with what the database says.

    Returns:
        The type of its stored numbers.

    Raises:
        CorruptionError: it is damaged, or of another model, kind, size or library.
    """
    raw = read_exactly(descriptor, HEADER_BYTES, 0)
    if len(raw) < HEADER_BYTES or raw[: len(MAGIC)] != MAGIC:
        raise CorruptionError(f"{path.name} is not a segment file", remedy=REPAIR)
    packed, (crc,) = raw[: -_CRC.size], _CRC.unpack(raw[-_CRC.size :])
    if zlib.crc32(packed) != crc:
        raise CorruptionError(f"The header of {path.name} is damaged", remedy=REPAIR)
    _, version, dtype_code, kind_code, _, dim, identity, uid = _HEADER.unpack_from(packed)
    if version != FORMAT_VERSION:
        raise CorruptionError(
            f"{path.name} has segment format {version}, this version reads {FORMAT_VERSION}", remedy="Update Deixis."
        )
    kind = next((kind for kind, code in CODES.items() if code == kind_code), "?")
    found = SegmentFacts(dim, kind, identity.hex(), uid.hex())
    if found != expected or dtype_code not in DTYPES:
        raise CorruptionError(f"{path.name} is {found}, expected {expected}", remedy=REPAIR)
    return DTYPES[dtype_code]
