"""`deixis caption` over awkward and hostile pictures: every one gets its caption or is named with a reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.cli import run
from tests.vision.grounding.conftest import save_captioner

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_captioner(tmp_path_factory.mktemp("captioner")))


@pytest.fixture
def deixis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run one command line in this process; returns its exit code, output and errors."""
    for name in [name for name in os.environ if name.startswith("DEIXIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run([*arguments, "--threads", "1"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def _draw_awkward(folder: Path) -> set[str]:
    """Write pictures that can be read, and files that cannot; returns the names of the latter."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for name, size_hw in {"pixel": (1, 1), "wide": (10, 20000), "tall": (20000, 10), "plain": (40, 60)}.items():
        Image.fromarray(random.integers(0, 256, (*size_hw, 3)).astype(np.uint8)).save(folder / f"{name}.png")
    plain = Image.open(folder / "plain.png")
    for mode in ("L", "1", "P", "RGBA"):
        plain.convert(mode).save(folder / f"{mode}.png")
    Image.fromarray(random.integers(0, 65536, (40, 60)).astype(np.uint16)).save(folder / "sixteen.png")
    plain.convert("CMYK").save(folder / "cmyk.jpg")
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green")]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    plain.resize((31, 17)).save(folder / "turned \u202e and\nbroken.png")
    plain.resize((33, 19)).save(os.fsencode(folder) + b"/no-utf8-\xff.png")
    whole = (folder / "cmyk.jpg").read_bytes()
    plain.close()
    unreadable = {
        "empty.png": b"",
        "cut.jpg": whole[: len(whole) // 64],
        "words.jpg": b"no picture at all",
        "rotten.png": b"\x89PNG\r\n\x1a\n rotten",
    }
    for name, content in unreadable.items():
        (folder / name).write_bytes(content)
    return set(unreadable)


def _index(deixis: Command, folder: Path) -> dict[str, Any]:
    code, printed, _ = deixis("index", str(folder), "--model", "colour", "--json", "--quiet")
    report: dict[str, Any] = json.loads(printed)
    assert code == (3 if report["refused"] else 0)
    return report


def _caption(deixis: Command, captioner: str) -> tuple[int, dict[str, Any]]:
    code, printed, _ = deixis("caption", "--captioner", captioner, "--json")
    report: dict[str, Any] = json.loads(printed)
    return code, report


def test_awkward_pictures_are_captioned_and_those_that_turned_bad_are_named(
    deixis: Command, captioner: str, tmp_path: Path
) -> None:
    unreadable = _draw_awkward(tmp_path / "pictures")
    indexed = _index(deixis, tmp_path / "pictures")
    told = {Path(file["path"]).name for file in indexed["refused"]} | {
        Path(path).name for path in indexed["not_pictures"]
    }
    assert told >= unreadable
    assert indexed["embedded"] + len(told) == len(list((tmp_path / "pictures").iterdir()))

    for name in ("plain.png", "moving.gif"):
        (tmp_path / "pictures" / name).write_bytes(b"GIF89a and no more")
    code, report = _caption(deixis, captioner)
    assert code == 3
    assert {Path(file["path"]).name for file in report["refused"]} == {"plain.png", "moving.gif"}
    assert all(len(file["reason"]) > 10 for file in report["refused"])
    assert report["captioned"] + report["silent"] == indexed["embedded"] - 2
    assert report["batches"]["largest"] >= 2

    code, printed, errors = deixis("caption", "--captioner", captioner, "--quiet")
    assert code == 3
    assert f"{report['silent']} pictures without a word" in printed or report["silent"] == 0
    assert errors.count("refused: ") == 2
    assert "plain.png: " in errors


def test_a_person_is_told_how_many_pictures_were_captioned_at_once(
    deixis: Command, captioner: str, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for width in range(40, 45):
        Image.new("RGB", (width, 30), "red").save(folder / f"{width}.png")
    _index(deixis, folder)
    code, printed, _ = deixis("caption", "--captioner", captioner, "--quiet")
    assert code == 0
    assert "batches of up to 3 pictures (" in printed


def test_hostile_files_cost_no_other_picture_its_caption(
    deixis: Command, captioner: str, robustness_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    manifest = json.loads((robustness_dir / "manifest.json").read_text())[::11]
    for number, entry in enumerate(manifest):
        source = robustness_dir / entry["set"] / entry["path"]
        (folder / f"{number}{source.suffix}").write_bytes(source.read_bytes())
    indexed = _index(deixis, folder)
    told = len(indexed["refused"]) + len(indexed["not_pictures"])
    assert indexed["embedded"] + indexed["reused"] + told == len(manifest)
    code, report = _caption(deixis, captioner)
    assert code == 0
    assert report["refused"] == []
    assert report["captioned"] + report["silent"] == indexed["embedded"]


def test_a_captioner_that_is_not_there_says_so_and_touches_nothing(deixis: Command, tmp_path: Path) -> None:
    _draw_awkward(tmp_path / "pictures")
    _index(deixis, tmp_path / "pictures")
    code, printed, errors = deixis("caption", "--captioner", str(tmp_path / "nowhere"))
    assert (code, printed) == (1, "")
    assert "no such model folder" in errors


def test_the_captioner_computes_in_the_precision_asked_for_and_another_one_captions_anew(
    deixis: Command, captioner: str, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (40, 30), "red").save(folder / "red.png")
    _index(deixis, folder)
    written = []
    for precision in ("bfloat16", "bfloat16", "float32"):
        code, printed, _ = deixis("caption", "--captioner", captioner, "--precision", precision, "--json")
        assert code == 0
        report = json.loads(printed)
        written.append(report["captioned"] + report["silent"])
    assert written == [1, 0, 1]
    code, printed, errors = deixis("caption", "--captioner", captioner, "--precision", "int3")
    assert (code, printed) == (1, "")
    assert "does not compute in 'int3'" in errors
