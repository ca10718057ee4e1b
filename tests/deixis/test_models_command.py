"""`deixis models` shows the presets, finds what is here, and says how to bring what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deixis.commands.models import app
from vision.encoders.presets import PRESETS
from vision.errors import ModelError, ModelMissingError


def test_list_shows_every_preset_with_its_facts() -> None:
    result = CliRunner().invoke(app, ["list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for preset in PRESETS.values():
        (row,) = [line for line in result.stdout.splitlines() if line.startswith(f"{preset.name} ")]
        for fact in (preset.licence, preset.dim, preset.image_px, preset.context_length, preset.coco_r1, preset.note):
            assert str(fact) in row


def test_path_prints_the_folder_of_a_model_that_is_here(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["path", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (0, f"{tmp_path}\n")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["path", "no/such/folder"], ModelMissingError, "no such model folder"),
        (["path", "nobody/has-this-model"], ModelMissingError, "deixis models pull nobody/has-this-model"),
        (["path", "colour"], ModelError, "built in"),
        (["pull", "colour"], ModelMissingError, "not a name of the hub"),
        (["pull", "a/b", "--backend", "jax"], ModelError, "unknown backend 'jax'"),
    ],
)
def test_a_domain_error_reaches_the_caller_as_it_is(
    arguments: list[str], error: type[ModelError], message: str
) -> None:
    result = CliRunner().invoke(app, arguments)
    assert type(result.exception) is error
    assert message in str(result.exception)
    assert result.exception.remedy or "built in" in message


@pytest.mark.parametrize("arguments", [["pull"], ["path"], ["list", "extra"], ["fetch"]])
def test_misuse_is_told_apart_from_failure(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, arguments).exit_code == 2
