"""One bulk job at a time: the library's lock, entered again by the thread that holds it, shared by its helpers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from search.locks.home import busy


class HeldLock(Protocol):
    """A lock that was taken."""

    def check(self) -> None:
        """Raise `LibraryError` unless it is still held."""

    def release(self) -> None:
        """Let others in."""


class JobLock:
    """The lock of a library, made of those that hold it against every other process.

    Args:
        parts: each takes one of them, or raises `LibraryBusyError`; taken in order.
    """

    def __init__(self, parts: Sequence[Callable[[], HeldLock]]) -> None:
        self._parts = parts
        self._held: list[HeldLock] = []
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
        yield from self._while_held(any_thread=False)

    @contextmanager
    def share(self) -> Iterator[bool]:
        """Hold the lock for one operation, which any thread of a running bulk job may be part of.

        Yields:
            Whether it was taken just now.

        Raises:
            LibraryBusyError: another process holds it.
        """
        yield from self._while_held(any_thread=True)

    def check(self) -> None:
        """Make sure, before something is committed, that what this library holds is still held.

        Raises:
            LibraryError: a lock was lost; where none was taken there is nothing to lose.
        """
        with self._mutex:
            for lock in self._held:
                lock.check()

    def _while_held(self, *, any_thread: bool) -> Iterator[bool]:
        with self._mutex:
            fresh = self._depth == 0
            if fresh:
                self._take()
                self._thread = threading.get_ident()
            elif not any_thread and self._thread != threading.get_ident():
                raise busy(f"pid {os.getpid()}")
            self._depth += 1
        try:
            yield fresh
        finally:
            with self._mutex:
                self._depth -= 1
                if self._depth == 0:
                    self._release()

    def _take(self) -> None:
        try:
            for part in self._parts:
                self._held.append(part())
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        while self._held:
            self._held.pop().release()
