"""`deixis read`: counts, JSON, exit codes, and what is said where the reader is not there."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from deixis import exit_codes
from deixis.cli import run
from vision.readers.registry import installed_reader

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def deixis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run one command line in this process; returns its exit code, output and errors."""
    for name in [name for name in os.environ if name.startswith("DEIXIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, text in enumerate(("Departures", "")):
        picture = Image.new("RGB", (400 + number, 200), "white")
        ImageDraw.Draw(picture).text((40, 80), text, fill="navy", font=ImageFont.load_default(32))
        picture.save(folder / f"{number}.png")
    return folder


def test_words_are_read_told_and_found(deixis: Command, pictures: Path) -> None:
    if installed_reader("rapidocr") is None:
        pytest.skip("needs the extra ocr")
    assert deixis("index", str(pictures), "--model", "colour")[0] == exit_codes.OK
    code, out, err = deixis("read", "--threads", "1", "--quiet")
    assert (code, err) == (exit_codes.OK, "")
    assert "2 pictures read" in out
    assert "1 lines of text in 1 of them, 1 needed no second look" in out
    code, out, _ = deixis("read", "--json")
    assert code == exit_codes.OK
    assert json.loads(out)["pictures"] == 0
    code, out, _ = deixis("search", "text:departure", "--json")
    (hit,) = json.loads(out)["hits"]
    assert hit["regions"][0]["phrase"] == "Departures"
    assert hit["regions"][0]["is_read"] is True
    assert "read       1 lines of text" in deixis("status")[1]
    (pictures / "0.png").write_bytes(b"rotten")
    code, out, err = deixis("read", "--thorough", "--batch-size", "1")
    assert code == exit_codes.PARTIAL
    assert "refused" in err


def test_without_the_extra_the_remedy_is_said(deixis: Command, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deixis("index", str(pictures), "--model", "colour")[0] == exit_codes.OK
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    code, _, err = deixis("read")
    assert code not in (exit_codes.OK, exit_codes.PARTIAL)
    assert "pip install 'deixis[ocr]'" in err


def test_a_folder_that_is_no_reader_is_named(deixis: Command, pictures: Path) -> None:
    assert deixis("index", str(pictures), "--model", "colour")[0] == exit_codes.OK
    code, _, err = deixis("read", "--reader", str(pictures))
    assert code != exit_codes.OK
    assert "no detection.onnx" in err
    assert "docs/reading.md" in err


def test_readers_are_among_the_models(deixis: Command) -> None:
    rows = json.loads(deixis("models", "list", "--json")[1])["models"]
    (row,) = [row for row in rows if row["kind"] == "reader"]
    assert row["name"] == "rapidocr"
    assert row["here"] is (installed_reader("rapidocr") is not None)
