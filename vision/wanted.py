"""Whether anybody still waits for a piece of work: told by who began it, heard by what does it, in any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class NobodyWaitsError(Exception):
    """Raised in the middle of work that nobody waits for any more; whoever abandoned it expects nothing else."""


class Wanted:
    """One piece of work, and whether it is still wanted; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._abandoned = False
        self._on_abandoned: list[Callable[[], None]] = []

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits any more."""
        return self._abandoned

    def abandon(self) -> None:
        """Say that nobody waits any more; calls back whoever wanted to know, in this thread."""
        with self._lock:
            told, self._on_abandoned = self._on_abandoned, []
            self._abandoned = True
        for tell in told:
            tell()

    def check(self) -> None:
        """Go on only while somebody waits.

        Raises:
            NobodyWaitsError: nobody does.
        """
        if self._abandoned:
            raise NobodyWaitsError

    @contextmanager
    def telling(self, tell: Callable[[], None]) -> Iterator[None]:
        """Within the block, call `tell` when the work is abandoned; at once if it is already. It must not wait."""
        with self._lock:
            at_once = self._abandoned
            if not at_once:
                self._on_abandoned.append(tell)
        if at_once:
            tell()
        try:
            yield
        finally:
            with self._lock:
                if tell in self._on_abandoned:
                    self._on_abandoned.remove(tell)


_current: ContextVar[Wanted | None] = ContextVar("wanted", default=None)


def current_work() -> Wanted | None:
    """The piece of work that this thread or task does; None where nobody could abandon it."""
    return _current.get()


@contextmanager
def as_work(wanted: Wanted) -> Iterator[None]:
    """Within the block, and in threads and tasks begun there, this is the work that is done."""
    token = _current.set(wanted)
    try:
        yield
    finally:
        _current.reset(token)


def still_wanted() -> None:
    """Go on only while somebody waits for what this thread or task does.

    Raises:
        NobodyWaitsError: nobody does.
    """
    wanted = _current.get()
    if wanted is not None:
        wanted.check()
