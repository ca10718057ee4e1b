"""The captioning benchmark runs from end to end in its smallest size."""

from __future__ import annotations

import re

import pytest

from benchmarks import captioning


def test_it_prints_a_ratio_for_every_precision_with_the_hardware(capsys: pytest.CaptureFixture[str]):
    captioning.main(["--size", "small", "--pictures", "3", "--loop", "1", "--tokens", "8", "--threads", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert "random weights, size small; 8 tokens a picture" in lines[0]
    assert lines[1].startswith("generate,")
    for line in lines[1:]:
        assert re.search(r"[\d.]+ pictures/s +[\d.]+ CPU-s/picture +[\d.]+× the pictures/s", line)
    assert len(lines) >= 3
