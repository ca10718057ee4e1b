"""Ctrl-C and SIGTERM: what they do at each moment of the program's life."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from deixis import exit_codes

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_NOTHING_BEGUN = "deixis: stopped before anything was begun\n"

_seen: signal.Signals | None = None


def before_work() -> None:
    """While modules are imported and when all is said: leave at once; there is nothing to put away."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # `nohup` and shells' background jobs ask for that
            signal.signal(number, _leave)


def during_work() -> None:
    """While a command runs: raise KeyboardInterrupt, so that it puts away what it has."""
    sys.unraisablehook = _not_lost
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


def after_work() -> None:
    """When the command is done: leave at once, in silence."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave_silently)


def was_asked() -> bool:
    """Whether a signal has come: then an error of any kind may be what a library has made of it."""
    return _seen is not None


def exit_code() -> int:
    """The exit code of a stopped program."""
    return exit_codes.TERMINATED if _seen is signal.SIGTERM else exit_codes.INTERRUPTED


def _leave(number: int, frame: FrameType | None) -> None:
    _note(number)
    os.write(2, _NOTHING_BEGUN.encode())
    os._exit(exit_code())


def _leave_silently(number: int, frame: FrameType | None) -> None:
    _note(number)
    os._exit(exit_code())


def _raise(number: int, frame: FrameType | None) -> None:
    _note(number)
    raise KeyboardInterrupt


def _note(number: int) -> None:
    global _seen  # noqa: PLW0603  # a signal is the process's, and so is the memory of it
    _seen = signal.Signals(number)


def _not_lost(ignored: Any) -> None:
    """Send a signal again that came where Python lets no error out, in a finalizer: it would say so and go on."""
    if issubclass(ignored.exc_type, KeyboardInterrupt) and _seen is not None:
        threading.Timer(0.05, signal.raise_signal, [_seen]).start()
        return
    sys.__unraisablehook__(ignored)
