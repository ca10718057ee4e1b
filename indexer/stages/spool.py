"""What a job has to remember of a library of any size: lists in a nameless file, and sets of row ids, a bit each."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_IN_MEMORY_BYTES = 4 << 20


class Spool:
    """A list of rows of plain values, in memory as long as it is short. Use it as a context manager.

    Args:
        folder: where the file lies, without a name: whatever ends the process, nothing is left behind.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, "w+b", dir=str(folder))  # noqa: SIM115
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def append(self, *row: Any) -> None:
        """Add a row of texts, numbers, booleans and None.

        Raises:
            OSError: the disk is full.
        """
        # In ASCII: halves of surrogate pairs, which stand for undecodable bytes of a path, come back as they were.
        self._file.write(json.dumps(row).encode("ascii") + b"\n")
        self._count += 1

    def __iter__(self) -> Iterator[list[Any]]:
        """Yield the rows; nothing may be added meanwhile."""
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)


class IdSet:
    """A set of row ids: a bit for each up to the largest."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, row_id: int) -> None:
        """Add an id of at least 0."""
        place = row_id >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(max(place + 1 - len(self._bits), len(self._bits) // 2)))
        self._bits[place] |= 1 << (row_id & 7)

    def __contains__(self, row_id: object) -> bool:
        if not isinstance(row_id, int):
            return False
        place = row_id >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (row_id & 7) & 1)

    def __iter__(self) -> Iterator[int]:
        for place, bits in enumerate(self._bits):
            if bits:
                yield from ((place << 3) + bit for bit in range(8) if bits >> bit & 1)

    def __bool__(self) -> bool:
        return any(self._bits)
