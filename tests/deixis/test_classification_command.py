"""`deixis eval classification` on folders as ImageNet has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.cli import run


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for place, colour in (("n01", "red"), ("n02", "green"), ("n03", "blue")):
        (tmp_path / "val" / place).mkdir(parents=True)
        Image.new("RGB", (32, 32), colour).save(tmp_path / "val" / place / "a.png")
    (tmp_path / "names.tsv").write_text("n01\tred\nn02\tgreen\nn03\tblue\n")
    return tmp_path


def figures(classes: Path, capsys: pytest.CaptureFixture[str], code: int) -> dict[str, Any]:
    line = ["eval", "classification", str(classes / "val"), "--names", str(classes / "names.tsv")]
    assert run([*line, "--model", "colour", "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["figures"]
    return found


def test_every_picture_whose_label_fits_best_is_counted(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = figures(classes, capsys, 0)
    assert (found["top_1"]["value"], found["top_1"]["n"], found["classes"]) == (100.0, 3, 3)


def test_a_picture_in_the_wrong_folder_counts_against_it(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (32, 32), "blue").save(classes / "val" / "n01" / "b.png")
    found = figures(classes, capsys, 0)
    assert found["top_1"]["value"] == 75.0
    assert found["mean_per_class"]["value"] == pytest.approx(100 * (0.5 + 1 + 1) / 3)


def test_a_file_that_is_no_picture_is_left_out_and_said(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (classes / "val" / "n01" / "x.png").write_bytes(b"no picture")
    assert figures(classes, capsys, 3)["top_1"]["n"] == 3


@pytest.mark.parametrize("names", ["n01\tred\n", "", "red\n"])
def test_a_folder_without_a_label_is_refused(classes: Path, names: str, capsys: pytest.CaptureFixture[str]) -> None:
    (classes / "names.tsv").write_text(names)
    line = ["eval", "classification", str(classes / "val"), "--names", str(classes / "names.tsv")]
    assert run([*line, "--model", "colour"]) == 1
    assert "no label for the folder" in capsys.readouterr().err
