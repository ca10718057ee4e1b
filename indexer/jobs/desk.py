"""What a running job has on its desk: whom it tells, who may stop it, and what it has in hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from indexer.hands import Hands
from indexer.report import IndexReport, OnProgress, Progress, silent
from search.encoder import Say


class JobStopped(KeyboardInterrupt):  # no error: it takes the way of Ctrl-C through every stage
    """The job is to stop here; what is finished is kept.

    Attributes:
        wish: `pause`, `cancel`, or `later` for behind the jobs that wait.
    """

    def __init__(self, wish: str) -> None:
        super().__init__(wish)
        self.wish = wish


class Desk:
    """What a running job has before it.

    Args:
        on_progress: told of every step.
        say: told in one line what was chosen.
        tell: told what a burst of changes has brought.
        others: in which states (`queued`, `running`) there are jobs that bring this one more to do; None where nobody
            waits for them.
    """

    def __init__(
        self,
        on_progress: OnProgress = silent,
        say: Say | None = None,
        others: Callable[[], set[str]] | None = None,
        tell: Callable[[IndexReport], None] = lambda report: None,
    ) -> None:
        self.say = say
        self.tell = tell
        self.hands: Hands | None = None
        """What is in hand, once the job is claimed."""
        self._tell = on_progress
        self._others = others
        self._wish: str | None = None
        self._lost: BaseException | None = None
        self._step: Progress | None = None
        self._began: dict[str, tuple[float, int]] = {}
        self._changed = threading.Event()

    def on_progress(self, step: Progress) -> None:
        """Take a step's word.

        Raises:
            JobStopped: somebody has asked for it.
            StaleJobError: the job was given to another worker.
        """
        self._began.setdefault(step.stage, (time.monotonic(), step.done))
        self._step = step
        self._tell(step)
        self.look_up()

    def look_up(self) -> None:
        """See whether the job is to go on; raises as `on_progress`."""
        if self._lost is not None:
            raise self._lost
        if self._wish is not None:
            raise JobStopped(self._wish)

    def stop(self, wish: str) -> None:
        """Let the job stop at its next step; from any thread."""
        self._wish = wish
        self._changed.set()

    def lose(self, error: BaseException) -> None:
        """Let the job end at its next step with this error; from any thread."""
        self._lost = error
        self._changed.set()

    def more_is_coming(self, pause_s: float = 5.0) -> bool:
        """Whether it is worth looking again for something to do, after a while; raises as `on_progress`."""
        states = set() if self._others is None else self._others()
        if not states:
            return False
        if "running" not in states:  # It may be this very worker that they wait for.
            raise JobStopped("later")
        self._changed.wait(pause_s)
        self.look_up()
        return True

    @property
    def step(self) -> Progress | None:
        """The last step; None before the first."""
        return self._step

    def progress(self) -> dict[str, Any] | None:
        """How far it is: stage, done, total, and per second; None before the first step."""
        step = self._step
        if step is None:
            return None
        began, first = self._began[step.stage]
        spent = time.monotonic() - began
        rate = (step.done - first) / spent if spent > 0.5 and step.done > first else None
        left = None if rate is None or step.total is None else (step.total - step.done) / rate
        return {"stage": step.stage, "done": step.done, "total": step.total, "per_s": rate, "left_s": left}
