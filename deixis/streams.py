"""The program's three streams, made safe once at its entry: any text goes out, and what cannot is said."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from vision.faults import SystemFaultError, explain_fault

_ANY_TEXT = "backslashreplace"


class OutputError(SystemFaultError):
    """Standard output takes no more: the disk behind it is full, or it is closed."""


class _Output(io.TextIOWrapper):
    """Standard output that knows its own name, and that is silent once its reader has left."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # What is still in the buffers would fail again, and once more when the interpreter ends.
        _into_nothing(1)
        if isinstance(error, BrokenPipeError):
            return  # `| head` has read enough: the command's own exit code stands.
        told = explain_fault(error, "The output cannot be written")
        if told is None:
            raise error
        raise OutputError(str(told.args[0]), fault=told.fault) from error


class _Complaints(io.TextIOWrapper):
    """The error stream: where it takes nothing, there is nobody left to complain to."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            _into_nothing(2)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            _into_nothing(2)


def prepare() -> None:
    """Put safe streams in the place of the interpreter's; to be called once, before anything is opened or printed."""
    for descriptor in (0, 1, 2):
        _fill(descriptor)
    sys.stdout = _replaced(sys.stdout, 1, _Output)
    sys.stderr = _replaced(sys.stderr, 2, _Complaints)


def finish() -> None:
    """Send out what is buffered, or say that it cannot be.

    Raises:
        OutputError: standard output does not take it.
    """
    try:
        sys.stdout.flush()
    finally:
        sys.stderr.flush()


def _fill(descriptor: int) -> None:
    """Occupy a closed descriptor, or the next file that is opened, a database perhaps, becomes the output.

    Standard output is opened for reading: what is written to it then fails, as it does where it is closed.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR if descriptor == 2 else os.O_RDONLY)
        if opened != descriptor:
            os.dup2(opened, descriptor)
            os.close(opened)


def _replaced(stream: TextIO | None, descriptor: int, kind: type[_Output | _Complaints]) -> TextIO:
    if stream is None:  # closed when the program began
        return kind(open(descriptor, "wb", closefd=False), encoding="utf-8", errors=_ANY_TEXT, write_through=True)
    if not isinstance(stream, io.TextIOWrapper):  # somebody else's, such as a test's
        return stream
    buffered, through = stream.line_buffering, stream.write_through
    encoding = stream.encoding
    return kind(stream.detach(), encoding=encoding, errors=_ANY_TEXT, line_buffering=buffered, write_through=through)


def _into_nothing(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, descriptor)
    os.close(nothing)
