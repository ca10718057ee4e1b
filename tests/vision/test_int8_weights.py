"""8-bit weights: near the full ones, and never so large side by side that 16 bits overflow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from vision.int8_weights import bounded_int8

_WEIGHTS = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.floats(-1e6, 1e6, width=32))


@given(_WEIGHTS)
@settings(max_examples=200, deadline=None)
def test_no_two_neighbours_can_overflow_16_bits_with_any_unsigned_byte(weights: np.ndarray):
    whole, _ = bounded_int8(weights)
    even = np.pad(whole.astype(int), ((0, 0), (0, whole.shape[1] % 2))).reshape(len(whole), -1, 2)
    highest = 255 * np.maximum(even, 0).sum(axis=2).max(initial=0)
    lowest = 255 * np.minimum(even, 0).sum(axis=2).min(initial=0)
    assert highest <= 32767
    assert lowest >= -32768


@given(_WEIGHTS)
@settings(max_examples=200, deadline=None)
def test_what_is_stored_is_within_half_a_step_of_what_was_given(weights: np.ndarray):
    whole, scale = bounded_int8(weights)
    assert np.abs(whole * scale - weights).max() <= 0.5001 * scale.max()


def test_a_trained_rows_scale_grows_by_a_third_and_not_twofold():
    weights = np.random.default_rng(0).standard_normal((256, 768)).astype(np.float32)
    _, scale = bounded_int8(weights)
    assert 1 <= float((scale[:, 0] / (np.abs(weights).max(axis=1) / 127)).mean()) < 1.45


@pytest.mark.parametrize("weights", [np.zeros((2, 3)), np.zeros((2, 0)), np.zeros((0, 4))])
def test_nothing_and_zeros_stay_zeros(weights: np.ndarray):
    whole, scale = bounded_int8(weights.astype(np.float32))
    assert not whole.any()
    assert np.isfinite(scale).all()
