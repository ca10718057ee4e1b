"""A process beside the pages that is begun again whenever it dies."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0

_LIVED_S = 60.0
"""A process that lived for so long was well: the next pause is short again."""

_LEAVE_S = 20.0
"""What it may take to put away what it has."""


@contextmanager
def supervised(arguments: Sequence[str], environ: Mapping[str, str], say: Callable[[str], None]) -> Iterator[None]:
    """Run `deixis` with these arguments beside this process for as long as the block lasts.

    It is told this process's number as `--parent`, and ends by itself where this process is killed. One that ends with
    0 was asked to, and is not begun again.

    Args:
        environ: for it, besides this process's own; what others must not read in the list of processes.
        say: told in one line when it ends, and when it is begun again.
    """
    command = [sys.executable, "-m", "deixis", *arguments, "--parent", str(os.getpid())]
    keeper = _Keeper(command, {**os.environ, **environ}, lambda line: say(f"{arguments[0]}: {line}"))
    # The first one not in the thread: what the block does may fork, and then no thread is to be amid a fork itself.
    keeper.begin()
    thread = threading.Thread(target=keeper.keep, name="supervised", daemon=True)
    thread.start()
    try:
        yield
    finally:
        keeper.end()
        thread.join(_LEAVE_S)


class _Keeper:
    def __init__(self, command: Sequence[str], environ: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._command = command
        self._environ = environ
        self._say = say
        self._over = threading.Event()
        self._mutex = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._problem = ""

    def begin(self) -> None:
        """Begin it, unless it is over."""
        with self._mutex:
            self._process, self._problem = None, ""
            if not self._over.is_set():
                try:
                    # In a session of its own: Ctrl-C in the terminal is this process's, which then ends it.
                    self._process = subprocess.Popen(  # noqa: S603  # our own program
                        self._command, env=dict(self._environ), stdin=subprocess.DEVNULL, start_new_session=True
                    )
                except OSError as error:
                    self._problem = f"it cannot be begun: {error}"

    def keep(self) -> None:
        """Begin it again whenever it dies; until `end`."""
        began, pause_s = time.monotonic(), _FIRST_PAUSE_S
        while (died := self._wait()) is not None:
            if time.monotonic() - began > _LIVED_S:
                pause_s = _FIRST_PAUSE_S
            self._say(f"{died}; it is begun again in {pause_s:.0f} s")
            self._over.wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            began = time.monotonic()
            self.begin()

    def end(self) -> None:
        """Let it put away what it has, and end; it is not begun again."""
        with self._mutex:  # None can be begun behind this.
            self._over.set()
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LEAVE_S)
        if process.poll() is None:
            process.kill()
            process.wait()

    def _wait(self) -> str | None:
        """How it died; None where it is over, or was asked to end."""
        code = None if self._process is None else self._process.wait()
        if self._over.is_set():
            return None
        if code == 0:
            self._say("ended as it was asked to")
            return None
        if code is None:
            return self._problem
        return f"killed by signal {-code}" if code < 0 else f"ended with code {code}"
