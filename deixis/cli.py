"""The command line's frame: one app, one place where errors become exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from deixis import exit_codes, stopping, unforeseen
from deixis.command_table import EXIT_CODES_PAGE
from deixis.ending import end_of
from deixis.lazy import LazyGroup
from deixis.quiet import quiet_libraries

app = typer.Typer(
    name="deixis",
    cls=LazyGroup,
    help="Search your pictures in your own words, and see where in the picture the answer is.",
    epilog="\b\nExamples:\n  deixis index ~/Pictures\n  deixis search two zebras at a waterhole\n  deixis serve\n"
    f"\nExit codes ({EXIT_CODES_PAGE}): 0 done, 1 not done, 2 misuse, 3 something was left out, 130 interrupted.",
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _say_version(asked: bool) -> None:
    if asked:
        from web.version import VERSION  # noqa: PLC0415  # asking the installation costs every other command time

        sys.stdout.write(f"deixis {VERSION}\n")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """Search your pictures in your own words, and see where in the picture the answer is."""
    quiet_libraries()


def run(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code.

    Args:
        arguments: without the program's name; None for the process's own.
    """
    try:
        code = app(args=arguments, standalone_mode=False)
    except BaseException as error:
        return _ended(error)
    if code == exit_codes.INTERRUPTED and stopping.was_asked():  # before the command began; typer keeps that to itself
        return end_of(KeyboardInterrupt())
    return code if isinstance(code, int) else exit_codes.OK


def _ended(error: BaseException) -> int:
    try:
        return end_of(error)
    except Exception as other:  # what the words themselves are printed with has failed
        unforeseen.tell(other)
        return exit_codes.ERROR
