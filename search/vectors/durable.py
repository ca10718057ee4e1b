"""Files that survive a power cut: every write is followed by the fsync that makes it last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.errors import LibraryFaultError
from vision.faults import explain_fault
from vision.whole_files import fsync_folder


def write_all(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write the whole of `data` at `offset`; the system may take it in pieces."""
    rest = memoryview(data).cast("B")
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest = rest[written:]
        offset += written


def read_exactly(descriptor: int, size_bytes: int, offset: int) -> bytes:
    """Read `size_bytes` at `offset`, or fewer where the file ends before."""
    pieces: list[bytes] = []
    while size_bytes > 0:
        piece = os.pread(descriptor, min(size_bytes, 1 << 30), offset)
        if not piece:
            break
        pieces.append(piece)
        size_bytes -= len(piece)
        offset += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def remove(path: Path) -> None:
    """Delete a file that may be gone already, and make that last."""
    path.unlink(missing_ok=True)
    fsync_folder(path.parent)


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Say in words what the operating system objects to when it cannot write.

    Raises:
        LibraryFaultError: the disk is full, the quota used up, the folder read-only, …
    """
    try:
        yield
    except OSError as error:
        told = explain_fault(error, f"Cannot write {path}")
        if told is None:
            raise
        raise LibraryFaultError(str(told.args[0]), fault=told.fault, remedy=told.remedy) from error
