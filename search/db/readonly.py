"""An SQLite file that may be read and not written: on a read-only mount, of another user, on a full disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from search.errors import LibraryBusyError, LibraryFaultError
from vision.faults import Fault

_WRITES_AHEAD = b"\x02"
"""Byte 18 of an SQLite file whose journal is a write-ahead log (https://sqlite.org/fileformat.html)."""


def why_not_writable(*places: Path) -> LibraryFaultError | None:
    """Why this process may not write to one of these files or folders; None where it may, as far as rights go.

    Args:
        places: those that do not exist are passed over.
    """
    for place in places:
        if not os.path.exists(place):
            continue
        wanted = os.W_OK | os.X_OK if place.is_dir() else os.W_OK
        if os.access(place, wanted, effective_ids=os.access in os.supports_effective_ids):
            continue
        if os.statvfs(place).f_flag & os.ST_RDONLY:
            return LibraryFaultError(f"{place} lies on a file system that is mounted read-only", fault=Fault.READ_ONLY)
        return LibraryFaultError(f"{place} may not be written by this user", fault=Fault.PERMISSION)
    return None


def read_only_engine(url: URL, module: Any) -> Engine:
    """An engine that reads the file as it finds it, connection by connection.

    With a write-ahead log beside it, the file is read through that log like everywhere. Without one, SQLite would make
    one even to read; then it is told that nobody changes the file, and `steady` makes sure that nobody has.

    Args:
        url: of an SQLite file that exists.
        module: the driver.
    """
    path = Path(url.database or "")

    def connect() -> Any:
        # Made afresh each time, because a writer with more rights may have begun or ended a log since.
        return module.connect(_address(path), uri=True, check_same_thread=False)

    return create_engine(url, module=module, creator=connect, poolclass=NullPool)


@contextmanager
def steady(path: Path) -> Iterator[None]:
    """Notice that somebody with more rights has changed the file while it was read without its locks.

    Raises:
        LibraryBusyError: somebody has; what was read may be half old and half new.
    """
    before = _facts(path)
    changed = LibraryBusyError(f"Another process changed {path} while it was read", remedy="Try again.")
    try:
        yield
    except DBAPIError as error:
        if _facts(path) != before:
            raise changed from error
        raise
    if _facts(path) != before:
        raise changed


def _address(path: Path) -> str:
    log, index = (path.with_name(path.name + suffix) for suffix in ("-wal", "-shm"))
    address = f"{path.absolute().as_uri()}?mode=ro"
    if log.exists() and log.stat().st_size > 0:
        if not index.exists():
            raise LibraryFaultError(
                f"The database {path} holds changes that an interrupted run has not finished",
                fault=Fault.READ_ONLY,
                remedy="Run `deixis status` once where it can be written; it can be read here afterwards.",
            )
        return address
    with open(path, "rb") as file:
        file.seek(18)
        return f"{address}&immutable=1" if file.read(1) == _WRITES_AHEAD else address


def _facts(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
