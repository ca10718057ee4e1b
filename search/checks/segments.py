"""Do the segment files hold exactly the vectors that the database promises, byte for byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from search.checks.finding import VerifyReport
from search.db.schema import Embedding
from search.errors import CorruptionError
from search.library import Library
from search.vectors.generations import SegmentPlace
from search.vectors.segment_reader import Block, SegmentReader

_ROW_BYTES = 8
"""At least, of a row in a segment: its id."""

NAMED = 5
"""Rows that are named per segment and kind of finding; thousands of them would say no more."""


def check_segment(library: Library, place: SegmentPlace, report: VerifyReport, on_bytes: Callable[[int], None]) -> None:
    """Check one segment: its file, each block's CRC, each vector, and its rows in the database.

    Args:
        library: held still by the caller.
        place: the segment.
        report: gets the findings.
        on_bytes: told of bytes that have been read.
    """
    name = place.path.name
    report.checked["segments"] += 1
    if not place.path.is_file():
        report.add("segment_missing", name, f"the file with {place.end.rows} vectors is not there")
        return
    _check_size(place, report)
    try:
        reader = SegmentReader(place.path, place.facts)
    except CorruptionError as error:
        report.add("segment_header", name, error.args[0])
        return
    # As many as the file can hold: a damaged row may promise billions, which would take all memory there is.
    seen = np.full(max(0, min(place.end.rows, place.path.stat().st_size // _ROW_BYTES)), -1, np.int64)
    damage: list[CorruptionError] = []
    try:
        for block in reader.scan(place.end, damage.append):
            seen[block.first_row : block.first_row + len(block.ids)] = block.ids
            _check_vectors(name, block, report)
            on_bytes(block.vectors.nbytes // 2)
    finally:
        reader.close()
    for block_error in damage:
        report.add("segment_block", name, block_error.args[0])
    _check_rows(library, place, seen, report, whole=not damage)


def _check_size(place: SegmentPlace, report: VerifyReport) -> None:
    size_bytes = place.path.stat().st_size
    if size_bytes < place.end.size_bytes:
        report.add("segment_truncated", place.path.name, f"has {size_bytes} bytes instead of {place.end.size_bytes}")
    elif size_bytes > place.end.size_bytes:
        message = f"{size_bytes - place.end.size_bytes} bytes lie behind the committed end"
        report.add("segment_tail", place.path.name, message)


def _check_vectors(name: str, block: Block, report: VerifyReport) -> None:
    report.checked["vectors"] += len(block.ids)
    for embedding_id, vector in zip(block.ids[~block.sound][:NAMED], block.vectors[~block.sound], strict=False):
        length = np.linalg.norm(vector)
        report.add("vector_not_unit", name, f"the vector of embedding {embedding_id} has the length {length:g}")


def _check_rows(
    library: Library, place: SegmentPlace, seen: NDArray[np.int64], report: VerifyReport, *, whole: bool
) -> None:
    """Compare the ids in the file with the rows in the database, both ways; damaged blocks are told already."""
    promised = np.full(len(seen), -1, np.int64)
    name = place.path.name
    with library.read() as session:
        query = select(Embedding.id, Embedding.segment_row).where(Embedding.segment_id == place.segment_id)
        for embedding_id, row in session.execute(query):
            if 0 <= row < len(promised):
                promised[row] = embedding_id
            else:
                message = f"embedding {embedding_id} is said to be in row {row} of {len(seen)}"
                report.add("row_without_vector", name, message)
    readable = seen >= 0
    for row in np.flatnonzero((promised >= 0) & (promised != seen) & (readable | whole))[:NAMED]:
        message = f"row {row} should hold embedding {promised[row]}, it holds {seen[row]}"
        report.add("row_without_vector", name, message)
    for row in np.flatnonzero((promised < 0) & readable)[:NAMED]:
        report.add("vector_without_row", name, f"row {row} holds embedding {seen[row]}, which the database lacks")


def check_strays(folder: Path, known: Iterable[str], report: VerifyReport) -> None:
    """Name the files that belong to nothing."""
    names = set(known)
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name not in names:
                report.add("stray_file", f"{folder.name}/{path.name}", "no row of the database names this file")
