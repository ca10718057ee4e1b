"""`deixis models` shows the presets, finds what is here, and says how to bring what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from deixis.cli import run
from vision.encoders.presets import PRESETS


def test_list_shows_every_preset_with_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "list"]) == 0
    shown = capsys.readouterr().out
    for preset in PRESETS.values():
        (row,) = [line for line in shown.splitlines() if line.startswith(f"{preset.name} ")]
        for fact in (preset.licence, preset.dim, preset.image_px, preset.context_length, preset.coco_r1, preset.note):
            assert str(fact) in row


def test_path_prints_the_folder_of_a_model_that_is_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "path", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path", "no/such/folder"], "no such model folder"),
        (["path", "nobody/has-this-model"], "deixis models pull nobody/has-this-model"),
        (["path", "colour"], "built in"),
        (["pull", "colour"], "not a name of the hub"),
        (["pull", "a/b", "--backend", "jax"], "unknown backend 'jax'"),
    ],
)
def test_a_failure_says_what_to_do(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", *arguments]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["pull"], ["path"], ["list", "extra"], ["fetch"], ["locate"]])
def test_misuse_is_told_apart_from_failure(arguments: list[str]) -> None:
    assert run(["models", *arguments]) == 2
