"""Whoever asks for bfloat16 on a processor that is slow at it hears so, once and in one line."""

from __future__ import annotations

import logging

import pytest
import torch

from vision import bfloat16
from vision.encoders.registry import load_encoder


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device here is CUDA, which multiplies in bfloat16")
def test_asking_for_bfloat16_is_remarked_where_it_is_slower(caplog: pytest.LogCaptureFixture):
    bfloat16._remark.cache_clear()
    with caplog.at_level(logging.WARNING, logger="vision.bfloat16"):
        for _ in range(2):
            load_encoder("storybook-encoder", threads=1, precision="bfloat16")
    remarks = [record.getMessage() for record in caplog.records if record.name == "vision.bfloat16"]
    slow = bfloat16.bfloat16_speed() < 0.8
    assert len(remarks) == slow
    assert all("×" in remark and "\n" not in remark for remark in remarks)


@pytest.mark.parametrize("precision", ["float32", "int8", "float16"])
def test_other_precisions_are_not_remarked_on(precision: str, caplog: pytest.LogCaptureFixture):
    bfloat16._remark.cache_clear()
    bfloat16.remark_on(precision)
    assert not caplog.records
