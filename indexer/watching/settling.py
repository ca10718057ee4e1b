"""Which changes are over: files that are still being written are waited for, and bursts are taken together."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable

QUIET_S = 2.0
"""A file that did not change for so long is whole."""

AT_MOST_S = 10.0
"""Of a burst without end, what has settled is taken so often."""


class Settling:
    """Paths at which something has changed.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[tuple[int, ...] | None, float]] = {}
        self._first = 0.0
        self._last = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, paths: Iterable[str]) -> None:
        """Something has changed there."""
        now = self._clock()
        for path in paths:
            if not self._waiting:
                self._first = now
            self._waiting[path] = (_looks(path), now)
            self._last = now

    def ready(self) -> list[str]:
        """Take what is over: nothing while changes keep coming, unless they have for long. In order."""
        now = self._clock()
        if not self._waiting or (now - self._last < QUIET_S and now - self._first < AT_MOST_S):
            return []
        taken: list[str] = []
        for path, (looked, since) in list(self._waiting.items()):
            looks = _looks(path)
            if looks != looked:
                self._waiting[path] = (looks, now)  # Some writers make no events: through a share, or a mapping.
            elif now - since >= QUIET_S:
                taken.append(path)
                del self._waiting[path]
        self._first = now
        return sorted(taken)


def _looks(path: str) -> tuple[int, ...] | None:
    """Size and dates of a file; of a folder only that it is one, for its files are waited for each by itself."""
    try:
        facts = os.lstat(path)
    except (OSError, ValueError):
        return None
    return () if stat.S_ISDIR(facts.st_mode) else (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
