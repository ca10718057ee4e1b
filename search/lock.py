"""The lock of a home folder: one bulk job at a time, whichever process runs it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.errors import LibraryBusyError
from search.vectors.durable import writing_to

LOCK_FILE = "index.lock"


class HomeLock:
    """An advisory lock on `<home>/index.lock`; the system releases it when its process dies, however it dies.

    Args:
        home: an existing folder on a local disk.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / LOCK_FILE
        self._descriptor: int | None = None
        self._thread: int | None = None
        self._depth = 0
        self._mutex = threading.Lock()

    @contextmanager
    def hold(self) -> Iterator[bool]:
        """Hold the lock for a bulk job; the thread that has it may enter again.

        Yields:
            Whether it was taken just now.

        Raises:
            LibraryBusyError: another process, or another thread's bulk job, holds it.
        """
        yield from self._held(any_thread=False)

    @contextmanager
    def share(self) -> Iterator[bool]:
        """Hold the lock for one operation, which any thread of a running bulk job may be part of.

        Yields:
            Whether it was taken just now.

        Raises:
            LibraryBusyError: another process holds it.
        """
        yield from self._held(any_thread=True)

    def _held(self, *, any_thread: bool) -> Iterator[bool]:
        with self._mutex:
            fresh = self._depth == 0
            if fresh:
                self._descriptor = self._acquire()
                self._thread = threading.get_ident()
            elif not any_thread and self._thread != threading.get_ident():
                raise _busy(str(os.getpid()))
            self._depth += 1
        try:
            yield fresh
        finally:
            with self._mutex:
                self._depth -= 1
                if self._depth == 0 and self._descriptor is not None:
                    os.close(self._descriptor)
                    self._descriptor = None

    def _acquire(self) -> int:
        with writing_to(self._path):
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise _busy(holder or "unknown") from error
        except OSError:
            os.close(descriptor)
            raise
        with contextlib.suppress(OSError):  # the number is for people; on a full disk the lock holds without it
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return descriptor


def _busy(holder: str) -> LibraryBusyError:
    return LibraryBusyError(
        f"Another process (pid {holder}) is writing to this library",
        remedy="Wait for it to finish, or stop it; what it has committed stays.",
    )
