"""8-bit weights that no processor's integer product can overflow: one arithmetic for every backend and machine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LARGEST = 127
"""Of a weight, and of two weights of one sign that stand side by side, taken together, before rounding."""
# A row of zeros has no scale; any divisor leaves it zero.
_LEAST_SCALE = 1e-12


def bounded_scale(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scale of each row at which its 8-bit weights are safe on processors without VNNI.

    Such a processor multiplies unsigned by signed bytes, and adds two neighbouring products in 16 bits, which saturate:
    255 · 127 + 255 · 127 is 64,770, and 32,767 is what fits. Weights are paired as they lie, 0 with 1, 2 with 3. With a
    scale of 1/127 of the largest sum of two neighbours of one sign, rounding included, no pair exceeds 255 · 128. It
    is seldom more than a third larger than the usual scale, where seven bits would double it.

    Args:
        weights: `(out, in)`, finite.

    Returns:
        `(out, 1)`; `round(weights / scale)` lies in ±127.
    """
    rows, inner = weights.shape
    even = np.zeros((rows, inner + inner % 2), dtype=np.float32)
    even[:, :inner] = weights
    pairs = even.reshape(rows, even.shape[1] // 2, 2)
    up, down = np.maximum(pairs, 0).sum(axis=2), np.maximum(-pairs, 0).sum(axis=2)
    largest = np.maximum(up.max(axis=1, initial=0), down.max(axis=1, initial=0))
    scale: NDArray[np.float32] = np.maximum(largest, _LEAST_SCALE)[:, None] / np.float32(LARGEST)
    return scale


def bounded_int8(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise rows.

    Args:
        weights: `(out, in)`, finite.

    Returns:
        `(out, in)` int8 and `(out, 1)` float32, whose product is near the weights.
    """
    scale = bounded_scale(weights)
    return np.round(weights / scale).astype(np.int8), scale
