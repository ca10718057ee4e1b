"""Commands that are imported when they are called, and help that puts everyday options first."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import typer
from typer.core import TyperCommand

from deixis.command_table import COMMANDS, CommandRow
from deixis.ending import Frame

ADVANCED = "More options"
"""The help panel of what few people need; options without a panel come first."""


class DeixisCommand(TyperCommand):
    """A command whose help lists arguments, everyday options, then the others."""

    # Without annotations of its own: typer's context and formatter come from click in one version and not in the next.
    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: D102  # as the base class
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": [], ADVANCED: []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            if param.param_type_name == "argument":
                sections["Arguments"].append(record)
            else:
                panel = getattr(param, "rich_help_panel", None)
                sections[ADVANCED if panel == ADVANCED else "Options"].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class SearchCommand(DeixisCommand):
    """Takes words with one dash in front (`street -dog`) for words, in the order in which they stand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: D102  # as the base class
        end = args.index("--") if "--" in args else len(args)
        marked = [WORD_MARK + one if _is_dashed_word(one) else one for one in args[:end]]
        rest: list[str] = super().parse_args(ctx, [*marked, *args[end:]])
        return rest


WORD_MARK = "\0"
"""In front of a dashed word while options are parsed; no argument of a process can hold it."""


def _is_dashed_word(argument: str) -> bool:
    # `-k`, `-k5` and `-h` are options; nothing else with one dash is one.
    if len(argument) < 3 or argument[0] != "-" or argument[1] == "-":
        return False
    return not (argument[1] == "k" and argument[2:].lstrip("+-").isdigit())


class LazyGroup(Frame):
    """The top of the command line: knows every command's name and one line, and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for row in COMMANDS.values():
            if " " not in row.name:
                self.add_command(TyperCommand(row.name, short_help=row.summary, help=row.summary), row.name)
        self._loaded: set[str] = set()

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: D102  # as the base class
        if args and args[0] in COMMANDS and args[0] not in self._loaded:
            self.add_command(load_command(args[0]), args[0])
            self._loaded.add(args[0])
        return super().resolve_command(ctx, args)


def load_command(name: str) -> Any:
    """Import a command, or a group of commands, and make it one of typer's."""
    row = COMMANDS[name]
    module, _, function = row.target.partition(":")
    loaded = importlib.import_module(module)
    parts = [one for one in COMMANDS.values() if one.name.startswith(f"{name} ")]
    if not parts:
        app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
        _add(app, row, getattr(loaded, function), name)
        return typer.main.get_command(app)
    app = typer.Typer(help=row.summary, no_args_is_help=True, rich_markup_mode=None, add_completion=False)
    app.callback()(_group(row.summary))
    for part in parts:
        home, _, attribute = part.target.partition(":")
        _add(app, part, getattr(importlib.import_module(home), attribute), part.name.removeprefix(f"{name} "))
    group = typer.main.get_command(app)
    group.name = name
    return group


def _group(summary: str) -> Any:
    def group() -> None:
        pass

    group.__doc__ = summary
    return group


def _add(app: typer.Typer, row: CommandRow, function: Any, name: str) -> None:
    cls = SearchCommand if row.name == "search" else DeixisCommand
    help_text = f"{row.summary}\n\n{_details(function)}".strip()
    app.command(name, cls=cls, help=help_text, short_help=row.summary, epilog=row.epilog)(function)


def _details(function: Any) -> str:
    """The docstring behind its first line, which the summary stands for."""
    return inspect.cleandoc(function.__doc__ or "").partition("\n")[2].strip()
