"""Where a job's seconds went: each stage worked, waited for something to do, or waited for the next stage."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class StageTime:
    """Wall-clock seconds of one stage, all of its threads together.

    Attributes:
        worked_s: on its own work.
        starved_s: waiting for something to do.
        blocked_s: waiting until the next stage had room.
    """

    worked_s: float = 0.0
    starved_s: float = 0.0
    blocked_s: float = 0.0


class Timing:
    """Counts the seconds of all stages of a job. Safe to use from several threads.

    Args:
        stages: where they are counted, by the stage's name.
    """

    def __init__(self, stages: dict[str, StageTime]) -> None:
        self._stages = stages
        self._lock = threading.Lock()

    def add(self, stage: str, *, worked_s: float = 0.0, starved_s: float = 0.0, blocked_s: float = 0.0) -> None:
        """Count seconds of a stage."""
        with self._lock:
            time_of = self._stages.setdefault(stage, StageTime())
            time_of.worked_s += worked_s
            time_of.starved_s += starved_s
            time_of.blocked_s += blocked_s

    @contextmanager
    def working(self, stage: str) -> Iterator[None]:
        """Count this block as work of a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, worked_s=time.perf_counter() - started)
