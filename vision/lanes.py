"""Lanes: slices of a bulk job that run side by side, each on its share of the cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


def usable_cores() -> int:
    """CPU cores that this process may run on, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def cores_per_lane(threads: int | None, lanes: int) -> int:
    """Threads of one batch where several run side by side.

    Args:
        threads: for all of them; None for every core that this process may use.
        lanes: how many there are.
    """
    return max(1, (threads or usable_cores()) // lanes)


class Slices:
    """Slices of equal size, handed out one by one to whoever asks; safe to ask from several threads."""

    def __init__(self, start: int, end: int, size: int) -> None:
        self._parts = iter([slice(first, min(first + size, end)) for first in range(start, end, size)])
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[slice]:
        while True:
            with self._lock:
                part = next(self._parts, None)
            if part is None:
                return
            yield part

    def stop(self) -> None:
        """Hand out no more."""
        with self._lock:
            self._parts = iter(())


def side_by_side(threads: ThreadPoolExecutor, lanes: int, slices: Slices, work: Callable[[slice], None]) -> None:
    """Work on slices in so many threads; the first error ends the others after their slice, and is raised."""

    def lane() -> None:
        for part in slices:
            work(part)

    running = [threads.submit(lane) for _ in range(lanes)]
    try:
        wait(running, return_when=FIRST_EXCEPTION)
    finally:
        slices.stop()
        wait(running)
    for done in running:
        done.result()
