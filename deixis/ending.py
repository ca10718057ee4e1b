"""How a command ends: every error becomes a sentence for people and an exit code for the shell."""

from __future__ import annotations

import typer
from typer.core import TyperGroup

from deixis import exit_codes, stopping, unforeseen
from vision.errors import DeixisError
from vision.faults import explain_fault


class Stopped(BaseException):
    """A command was interrupted; carries what it had to say, past a framework that would swallow it."""


class Frame(TyperGroup):
    """The command group, with the errors that typer would answer itself led around it."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's copy of click has no public name
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Stopped from error
        except (OSError, MemoryError) as error:
            told = explain_fault(error)
            if told is None:
                raise
            raise _with_notes(told, error) from error


def end_of(error: BaseException) -> int:
    """Say what has ended a command, and give its exit code."""
    if isinstance(error, Stopped | KeyboardInterrupt) or stopping.was_asked():
        _say("deixis: stopped" + "".join(f"; {note}" for note in _notes(error) or ["what was finished is kept"]))
        return stopping.exit_code()
    if isinstance(error, DeixisError):
        _say("\n".join([f"deixis: {error}", *_notes(error)]))
        return exit_codes.ERROR
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else exit_codes.ERROR
    show = getattr(error, "show", None)
    if show is not None:  # A usage error of the command line, with its own message.
        show()
        return int(getattr(error, "exit_code", exit_codes.USAGE))
    unforeseen.tell(error)
    return exit_codes.ERROR


def _say(text: str) -> None:
    from rich.console import Console  # noqa: PLC0415  # a run that goes well does not need it

    Console(stderr=True).print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def _notes(error: BaseException | None) -> list[str]:
    """What jobs have noted on an error (`BaseException.add_note`), wherever in its chain."""
    found: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found += [note for note in getattr(error, "__notes__", []) if note not in found]
        error = error.__cause__ or error.__context__
    return found


def _with_notes(told: DeixisError, error: BaseException) -> DeixisError:
    for note in _notes(error):
        told.add_note(note)
    return told
