"""The precisions of the captioner that ships, side by side on a few scenes."""

from __future__ import annotations

import pytest

from deixis.captioner_quality import measure_captioner
from deixis.commands.export import is_captioner
from vision.errors import ModelMissingError


def test_every_precision_is_measured_against_the_first() -> None:
    said: list[str] = []
    left_out: list[str] = []
    rows = measure_captioner("storybook-captioner", scenes=2, threads=1, left_out=left_out, report=said.append)
    assert [row.precision for row in rows] == ["float32", "bfloat16", "int8"]
    assert (rows[0].speed, rows[0].loss, left_out) == (1.0, 0.0, [])
    assert all(row.figures.keys() == rows[0].figures.keys() and row.speed > 0 for row in rows)
    assert said == [f"storybook-captioner: {row.precision}" for row in rows]


def test_a_captioner_that_is_not_here_is_missing() -> None:
    with pytest.raises(ModelMissingError):
        measure_captioner("no-such-folder", scenes=2, threads=1, left_out=[], report=print)


@pytest.mark.parametrize(("model", "expected"), [("storybook-captioner", True), ("storybook-encoder", False)])
def test_a_model_is_an_encoder_or_a_captioner(model: str, expected: bool) -> None:
    assert is_captioner(model) is expected
