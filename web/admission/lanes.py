"""A lane: how many requests of one cost run at a time, how many wait, and for how long; everything else is refused."""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from web.admission.costs import Cost

_MOST_RETRY_S = 60
_SMOOTHING = 0.1
"""Weight of the latest request in the mean time of one."""


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """What a lane holds.

    Attributes:
        running: requests that are answered at a time; each may take a thread.
        waiting: requests that wait for their turn, those still being received among them.
        deadline_s: from the arrival of a request to the beginning of its answer.
    """

    running: int
    waiting: int
    deadline_s: float


class RefusedError(Exception):
    """A request does not get its turn.

    Attributes:
        reason: `full`, `late` or `stopping`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latencies that are counted together; what is longer stands in one more."""


@dataclass(slots=True)
class Latencies:
    """A histogram of seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.sum_s += seconds


class Lane:
    """Bounds the requests of one cost; belongs to one event loop.

    A request takes a place when its first line has come (`enter`), waits there for its turn (`turn`), and gives both
    back (`end`). Whoever came first is first.

    Attributes:
        cost: whose lane it is.
        limits: what it holds.
        running, places: requests that have their turn; requests that have a place, those with their turn among them.
        refused: reason → how many requests did not get their turn or their answer in time; `left` are clients.
        latencies: of all answers, from arrival to the end.
    """

    def __init__(self, cost: Cost, limits: LaneLimits) -> None:
        self.cost = cost
        self.limits = limits
        self.running = 0
        self.places = 0
        self.refused: Counter[str] = Counter()
        self.latencies = Latencies()
        self._queue: deque[asyncio.Future[None]] = deque()
        self._mean_s = 0.05

    @property
    def waiting(self) -> int:
        """Requests that have a place and not their turn."""
        return self.places - self.running

    @property
    def retry_after_s(self) -> int:
        """Whole seconds after which those who are here now will have been answered."""
        return max(1, min(_MOST_RETRY_S, math.ceil(self._mean_s * self.places / self.limits.running)))

    def enter(self) -> None:
        """Take a place.

        Raises:
            RefusedError: there is none.
        """
        if self.places >= self.limits.running + self.limits.waiting:
            raise RefusedError("full")
        self.places += 1

    def turn(self) -> asyncio.Future[None]:
        """What is done when it is this request's turn; to be cancelled by whoever does not wait for it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.running < self.limits.running:
            self.running += 1
            turn.set_result(None)
        else:
            self._queue.append(turn)
        return turn

    def end(self, turn: asyncio.Future[None], took_s: float | None = None) -> None:
        """Give back place and turn, the turn to whoever is next; or give up one that was waited for.

        Args:
            turn: from `turn`.
            took_s: seconds that the request ran; None for one that says nothing about the next.
        """
        self.leave()
        if not turn.done() or turn.cancelled() or turn.exception() is not None:
            turn.cancel()
            if turn in self._queue:
                self._queue.remove(turn)
            return
        if took_s is not None:
            self._mean_s += _SMOOTHING * (took_s - self._mean_s)
        while self._queue:
            following = self._queue.popleft()
            if not following.done():
                following.set_result(None)
                return
        self.running -= 1

    def leave(self) -> None:
        """Give the place back before a turn was asked for."""
        self.places -= 1

    def refuse_waiting(self) -> None:
        """Let nobody wait any more: the server stops."""
        queue, self._queue = self._queue, deque()
        for turn in queue:
            if not turn.done():
                turn.set_exception(RefusedError("stopping"))


def lane_limits(cores: int, decoders: int) -> Mapping[Cost, LaneLimits]:
    """The lanes of a process.

    Args:
        cores: that this process may use, 1 or more.
        decoders: children that may decode at the same time, 1 or more.
    """
    few = max(1, cores // 2)  # what takes seconds leaves cores to what takes milliseconds
    return {
        Cost.READ: LaneLimits(min(16, max(4, 2 * cores)), 64, 20.0),
        Cost.PICTURE: LaneLimits(min(16, max(4, 2 * cores)), 256, 30.0),
        Cost.SEARCH: LaneLimits(min(32, cores), 6 * cores, 20.0),
        Cost.LOOK: LaneLimits(few, 64, 30.0),
        Cost.ASK: LaneLimits(1, 4, 180.0),
        Cost.UPLOAD: LaneLimits(min(few, decoders), 8, 90.0),
    }
