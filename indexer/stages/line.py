"""A line of stages, one thread each, with little room between them: the slowest sets the pace, the others overlap."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from indexer.stages.timing import Timing

_LOOK_AGAIN_S = 0.5
"""Longest wait without a look at signals: one that arrives just before a wait begins does not wake it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: takes an item of the stage before, returns one for the stage behind; None where there is none."""

    name: str
    work: Callable[[Any], Any]


class Line:
    """Runs items through stages in order. Use it as a context manager: what is on the way is finished before it leaves.

    After an error in a stage nothing further is worked on; the error is raised by the next `put`, or at the end. Where
    the block itself ends in an error, what the first stage has begun goes through to the end, for it has cost its time;
    what waits before it is dropped.

    Args:
        stages: in order; a stage's work is never run by two threads at a time.
        timing: where their seconds are counted.
        room: items that wait between two stages.
    """

    def __init__(self, stages: Sequence[Stage], timing: Timing, *, room: int = 1) -> None:
        self._timing = timing
        self._queues: list[queue.Queue[Any]] = [queue.Queue(room) for _ in stages]
        self._error: BaseException | None = None
        self._abandoned = False
        self._over = threading.Event()
        self._hungry = True
        self._threads = [
            threading.Thread(target=self._run, args=(number, stage), name=f"stage-{stage.name}", daemon=True)
            for number, stage in enumerate(stages)
        ]
        self._threads.append(threading.Thread(target=self._end, name="stage-end", daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abandoned = error is not None
        interrupted = self._finish()
        if error is None:
            self.check()
        if interrupted is not None:
            raise interrupted

    def _finish(self) -> KeyboardInterrupt | None:
        """Wait for the threads, through every further Ctrl-C: it only leaves out what has not been begun."""
        interrupted = None
        while True:
            try:
                self._over.set()
                for thread in self._threads:
                    while thread.is_alive():
                        thread.join(_LOOK_AGAIN_S)
            except KeyboardInterrupt as again:
                interrupted = self._error = again
            else:
                return interrupted

    def put(self, item: Any) -> float:
        """Hand an item to the first stage, when it has room; returns the seconds waited.

        Raises:
            Exception: whatever a stage has raised.
        """
        self.check()
        waited = self._hand_on(0, item)
        self.check()
        return waited

    @property
    def hungry(self) -> bool:
        """Whether the first stage has nothing to do."""
        return self._hungry and self._queues[0].empty()

    def check(self) -> None:
        """Raise what a stage has raised."""
        if self._error is not None:
            raise self._error

    def _end(self) -> None:
        """Hand on the end, once it is there: in a thread that exists by then, for one cannot be begun under Ctrl-C."""
        self._over.wait()
        self._hand_on(0, _END)

    def _hand_on(self, number: int, item: Any) -> float:
        started = time.perf_counter()
        while True:
            try:
                self._queues[number].put(item, timeout=_LOOK_AGAIN_S)
            except queue.Full:
                continue
            return time.perf_counter() - started

    def _run(self, number: int, stage: Stage) -> None:
        last = number + 1 == len(self._queues)
        while True:
            started = time.perf_counter()
            if number == 0:
                self._hungry = True
            item = self._queues[number].get()
            if number == 0:
                self._hungry = False
            self._timing.add(stage.name, starved_s=time.perf_counter() - started)
            if item is _END:
                if not last:
                    self._hand_on(number + 1, _END)
                return
            if self._error is not None or (number == 0 and self._abandoned):
                continue  # taken off all the same, so that nobody waits for room for ever
            try:
                with self._timing.working(stage.name):
                    made = stage.work(item)
            except BaseException as error:  # raised where somebody sees it
                self._error = error
                continue
            if not last and made is not None:
                self._timing.add(stage.name, blocked_s=self._hand_on(number + 1, made))


_END = object()
