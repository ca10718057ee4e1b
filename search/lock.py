"""Who may write to a library: one job alone, or jobs side by side in lanes of their own."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from search.errors import LibraryBusyError
from search.locks.file import LockFile, busy
from search.locks.home import HomeLock, lane_file, watch_file
from search.locks.server import ServerLock

_TURN_S = 600.0
"""How long to wait for another job's turn: to write a large index takes minutes."""

_PAUSE_S = 0.05


class HeldLock(Protocol):
    """A lock that was taken."""

    def check(self) -> None:
        """Raise `LibraryError` unless it is still held."""

    def release(self) -> None:
        """Let others in."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How a library came to be held.

    Attributes:
        fresh: whether it was taken just now.
        alone: whether no other job holds it at this moment.
    """

    fresh: bool
    alone: bool


class JobLock:
    """The lock of a library; re-entered by the thread that holds it, shared by its helpers.

    Args:
        home: the library's folder, locked against every other process.
        engine: of its database; a Postgres server is asked too, from whichever machine a job runs.
        library_uid: 32 hex digits: whose lock it is.
    """

    def __init__(self, home: Path, engine: Engine | None = None, library_uid: str = "") -> None:
        self._home = home
        self._server = engine if engine is not None and engine.dialect.name == "postgresql" else None
        self._uid = library_uid
        self._home_lock: HomeLock | None = None
        self._held: list[HeldLock] = []
        self._lanes: dict[str, LockFile] = {}
        self._shared = False
        self._thread: int | None = None
        self._depth = 0
        self._mutex = threading.RLock()

    @contextmanager
    def hold(self) -> Iterator[bool]:
        """Hold the library alone; the thread that has it may enter again.

        Yields:
            Whether it was taken just now.

        Raises:
            LibraryBusyError: another process, or another thread's bulk job, holds it.
        """
        with self._entered(shared=False, any_thread=False) as entry:
            yield entry.fresh

    @contextmanager
    def work(self, lane: str, *, take_over: bool = False) -> Iterator[Entry]:
        """Hold one lane of the library, beside jobs in others; whoever holds it alone has every lane.

        Args:
            lane: what the job writes, in letters.
            take_over: take the lane from a process that lives and does not answer; its next commit fails.

        Raises:
            LibraryBusyError: another job has that lane, or holds the library alone.
        """
        with self._entered(shared=True, any_thread=False) as entry:
            own = self._shared and lane not in self._lanes
            if own:
                if take_over:
                    lane_file(self._home, lane).unlink(missing_ok=True)
                self._lanes[lane] = LockFile(lane_file(self._home, lane))
            try:
                yield entry
            finally:
                if own:
                    self._lanes.pop(lane).release()

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Be the only process that watches; this keeps nobody from any lane, nor from all of the library.

        Raises:
            LibraryBusyError: another process watches.
        """
        lock = LockFile(watch_file(self._home))
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def share(self) -> Iterator[bool]:
        """Hold the library for one operation, which any thread of a running job may be part of.

        Yields:
            Whether it was taken just now.

        Raises:
            LibraryBusyError: another process holds it alone.
        """
        with self._entered(shared=True, any_thread=True) as entry:
            self._admit_others()
            yield entry.fresh

    @contextmanager
    def turn(self, name: str, meanwhile: Callable[[], None]) -> Iterator[None]:
        """Wait for other jobs that do the same at this moment: it could be done twice, and would cost twice as much.

        After ten minutes it is done all the same, for the other one may have been stopped in the middle. Within `hold`,
        `work` or `share`.

        Args:
            name: of what is done, in letters; no lane's.
            meanwhile: called again and again while it waits; what it raises ends the waiting.
        """
        with self._mutex:
            waits = self._shared and name not in self._lanes
        lock = self._wait_for(name, meanwhile) if waits else None
        if lock is not None:
            self._lanes[name] = lock
        try:
            yield
        finally:
            if lock is not None:
                self._lanes.pop(name).release()

    def admit_others(self) -> None:
        """Let other jobs in, once what had to be done alone is done.

        Raises:
            LibraryBusyError: somebody who wants the library alone came first.
        """
        with self._mutex:
            self._admit_others()

    def check(self) -> None:
        """Make sure, before something is committed, that what this library holds is still held.

        Raises:
            LibraryError: a lock was lost; where none was taken there is nothing to lose.
        """
        with self._mutex:
            for lock in (*self._held, *self._lanes.values()):
                lock.check()

    def _wait_for(self, name: str, meanwhile: Callable[[], None]) -> LockFile | None:
        ends = time.monotonic() + _TURN_S
        while time.monotonic() < ends:
            with contextlib.suppress(LibraryBusyError):
                return LockFile(lane_file(self._home, name))
            meanwhile()
            time.sleep(_PAUSE_S)
        return None

    def _admit_others(self) -> None:
        if self._shared and self._home_lock is not None and self._home_lock.alone:
            self._home_lock.share()

    @contextmanager
    def _entered(self, *, shared: bool, any_thread: bool) -> Iterator[Entry]:
        with self._mutex:
            fresh = self._depth == 0
            if fresh:
                self._take(shared=shared)
                self._thread = threading.get_ident()
            elif not any_thread and (self._thread != threading.get_ident() or (self._shared and not shared)):
                raise busy(f"pid {os.getpid()}")
            self._depth += 1
            alone = self._home_lock is not None and self._home_lock.alone
        try:
            yield Entry(fresh, alone)
        finally:
            with self._mutex:
                self._depth -= 1
                if self._depth == 0:
                    self._release()

    def _take(self, *, shared: bool) -> None:
        """The home first: it is on this machine, names its holder at once, and spares the server most questions."""
        try:
            self._home_lock = HomeLock(self._home, shared=shared)
            self._held.append(self._home_lock)
            if self._server is not None:
                self._held.append(ServerLock(self._server, self._uid, shared=shared))
            self._shared = shared
        except BaseException:
            self._release()
            raise

    def _release(self) -> None:
        with contextlib.ExitStack() as released:
            while self._held:
                released.callback(self._held.pop(0).release)
        self._home_lock = None
        self._shared = False
