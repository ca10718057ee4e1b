"""`deixis search` as it is typed: without quotes, with dashes, in a narrow terminal; and what its figures mean."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deixis.cli import run
from deixis.output import duration, rate

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        (["two", "zebras"], "two zebras"),
        (["two zebras"], "two zebras"),
        (["street", "-dog"], "street -dog"),
        (["-dog", "street"], "-dog street"),
        (["-kayak"], "-kayak"),
        (["-hat", "red", "-k", "1"], "-hat red"),
        (["red", "-k1", "kayak"], "red kayak"),
        (["red", "--top", "1", "--json", "kayak"], "red kayak"),
        (["--", "-dog"], "-dog"),
        (["-k", "1", "--", "--json", "-k"], "--json -k"),
        (["a", "--", "b", "-c"], "a b -c"),
    ],
)
def test_words_are_joined_however_they_are_typed(
    arguments: list[str], query: str, colour_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", "--json", *arguments]) == 0
    assert json.loads(capsys.readouterr().out)["query"] == query


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["red", "--dog"], "--dog"), (["red", "-k", "many"], "'-k'"), (["red", "-kx", "-k"], "requires an argument")],
)
def test_what_is_no_word_is_a_usage_error(
    arguments: list[str], message: str, colour_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_scores_say_what_they_are_and_loading_is_told_apart(
    colour_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["search", "green"]) == 0
    said = capsys.readouterr().out
    assert "likely: how likely" in said
    assert re.search(r"3 pictures searched in \d+ ms with colour; loading took [\d.]+ m?s", said)


def _in_terminal(columns: int, *arguments: str) -> str:
    """What a terminal of so many columns shows."""
    master, slave = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": "xterm", "NO_COLOR": "1"}
    done = subprocess.Popen([sys.executable, "-m", "deixis", *arguments], cwd=ROOT, env=environment, stdout=slave)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other side has closed
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert done.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 90, 140])
@pytest.mark.parametrize("arguments", [("models", "list"), ("search", "kayak")], ids=" ".join)
def test_tables_fit_the_terminal_and_lose_no_row(arguments: tuple[str, ...], columns: int, colour_home: Path) -> None:
    shown = _in_terminal(columns, *arguments)
    table = [line for line in shown.splitlines() if not line.startswith(("score:", "likely:", "R@1:", "3 pictures"))]
    assert max(len(line.rstrip()) for line in table) <= columns
    if arguments == ("search", "kayak"):
        assert "/red.png" in re.sub(r"\s+|kayak", "", shown)
        return
    for name in ("siglip-multilingual", "storybook-captioner", "m2m100", "colour"):
        (row,) = [line for line in table if line.startswith(f"{name} ")]
        assert re.search(r"GB|built in", row)
        assert re.search(r"\b(yes|no)\b", row)
    assert ("licence" in shown) == (columns >= 100)


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0004, "0 ms"), (0.012, "12 ms"), (3.44, "3.4 s"), (125.2, "2 min 5 s"), (-0.1, "0 ms")]
)
def test_a_time_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "seconds", "said"),
    [(1, 20.0, ""), (0, 0.0, ""), (100, 0.1, ""), (100, 8.0, " (12.5/s)"), (20, 480.0, " (24.0 s each)")],
)
def test_a_speed_is_printed_where_enough_was_done(count: int, seconds: float, said: str) -> None:
    assert rate(count, seconds) == said
