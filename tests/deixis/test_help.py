"""Help pages as a person meets them: an example, everyday options first, exit codes, one name for one thing."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import typer

from deixis.cli import app, run
from deixis.command_table import COMMANDS
from deixis.lazy import ADVANCED, load_command

ROOT = Path(__file__).resolve().parents[2]
_LEAVES = [name for name, row in COMMANDS.items() if ":" in row.target]
_GROUPS = [name for name in COMMANDS if name not in _LEAVES]


def _options() -> dict[str, list[Any]]:
    """Every option and argument of every command."""
    found: dict[str, list[Any]] = {}
    for name in _LEAVES:
        first, _, second = name.partition(" ")
        command = load_command(first)
        found[name] = (command.commands[second] if second else command).params
    return found


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", _LEAVES)
def test_every_page_has_examples_and_exit_codes(name: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), flag]) == 0
    page = capsys.readouterr().out
    assert "Usage:" in page
    assert f"deixis {name}" in page.partition("Examples:")[2]
    codes = page.partition("Exit codes (docs/exit-codes.md):")[2]
    for code in (0, 1, 2, 130, *COMMANDS[name].codes):
        assert re.search(rf"\b{code} ", codes)
    assert page.find("Options:") < (page.find(f"{ADVANCED}:") if ADVANCED in page else len(page))


@pytest.mark.parametrize("name", ["", *_GROUPS])
def test_a_group_says_what_is_in_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "-h"]) == 0
    page = capsys.readouterr().out
    prefix = f"{name} " if name else ""
    for other in COMMANDS:
        if other.startswith(prefix) and other != name and " " not in other.removeprefix(prefix):
            assert f"  {other.removeprefix(prefix)} " in page


def test_one_name_means_one_thing() -> None:
    spellings: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for params in _options().values():
        for param in params:
            if param.param_type_name == "option":
                for spelling in param.opts:
                    spellings[spelling].add(tuple(param.opts))
    assert {spelling: names for spelling, names in spellings.items() if len(names) > 1} == {}


def test_what_ranks_takes_k_and_top() -> None:
    options = _options()
    for name in ("search", "classify"):
        assert any(param.opts == ["-k", "--top"] for param in options[name])


def test_the_page_of_commands_names_every_command_and_option() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name, params in _options().items():
        assert f"`deixis {name}`" in page
        for param in params:
            if param.param_type_name == "option":
                assert f"`{param.opts[-1]}`" in page, (name, param.opts)


def test_no_line_of_help_says_what_the_table_says_otherwise() -> None:
    top: Any = typer.main.get_command(app)
    shown = [name for name in COMMANDS if " " not in name]
    assert top.list_commands(None) == shown
