"""Textures: patterns that things wear and the grain that each drawing style leaves on the page."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Mask = NDArray[np.bool_]


def pattern_mask(pattern: str, u: NDArray[np.float32], v: NDArray[np.float32], period: float, variant: int) -> Mask:
    """Return where a pattern shows its second colour.

    Args:
        pattern: a key of `PATTERNS` other than plain.
        u: `(1, w)` columns in sketch units.
        v: `(h, 1)` rows in sketch units.
        period: distance between repeats in sketch units.
        variant: the thing's pose; chooses the direction of stripes.
    """
    if pattern == "striped":
        lean = (0.0, 0.6, -0.6, 4.0)[variant % 4]
        along = v if lean == 4.0 else u + v * lean
        return np.broadcast_to(np.mod(along, period) < period * 0.45, np.broadcast_shapes(u.shape, v.shape))
    if pattern == "spotted":
        row = np.floor(v / (period * 0.86))
        du = np.mod(u + row * period * 0.5, period) - period * 0.5
        dv = np.mod(v, period * 0.86) - period * 0.43
        return np.asarray(du * du + dv * dv < (period * 0.27) ** 2)
    if pattern == "checked":
        return np.asarray((np.mod(u, period) < period * 0.5) ^ (np.mod(v, period) < period * 0.5))
    if pattern == "wooden":
        grain = np.mod(v * 1.3 + 3.0 * np.sin(u * 0.09 + variant % 7) + 1.4 * np.sin(u * 0.23), period * 0.5)
        return np.asarray((grain < period * 0.11) | (np.mod(v, period * 1.7) < period * 0.09))
    stitch = period * 0.62
    rows = np.mod(v + np.abs(np.mod(u, stitch) - stitch * 0.5) * 1.3, stitch * 0.8)
    return np.asarray(rows < stitch * 0.3)


def _noise(rng: np.random.Generator, side: int, cells: int) -> NDArray[np.float32]:
    """Return smooth noise `(side, side)` in about [-1, 1] with `cells` bumps per side."""
    small = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))


@lru_cache(maxsize=24)
def page_grain(style: str, size_px: int) -> NDArray[np.float32] | None:
    """Return what a style multiplies the page with, `(size_px, size_px, 1)` float32 around 1; None for no grain."""
    rng = np.random.default_rng([STYLE_SEEDS[style], 2026])
    fine = _noise(rng, size_px, min(size_px, 180))
    coarse = _noise(rng, size_px, 12)
    if style == "watercolour":
        gain = 1.0 + 0.05 * fine + 0.07 * coarse
    elif style == "crayon":
        ramp = np.arange(size_px, dtype=np.float32) / size_px
        hatch = np.sin((ramp[None, :] + ramp[:, None] + 0.02 * coarse) * 2 * math.pi * 46)
        gain = 1.0 + 0.09 * fine + 0.05 * hatch
    elif style == "paper-cut":
        gain = 1.0 + 0.035 * fine
    elif style == "outlined":
        gain = 1.0 + 0.018 * fine + 0.02 * coarse
    else:
        return None
    return gain[:, :, None].astype(np.float32)


STYLE_SEEDS = {"flat": 1, "outlined": 2, "watercolour": 3, "crayon": 4, "paper-cut": 5, "pixel": 6}


@lru_cache(maxsize=24)
def wash(style: str, side: int) -> NDArray[np.float32] | None:
    """Return the uneven paint of a style, `(side, side, 1)` float32 around 1; None where paint lies even."""
    rng = np.random.default_rng([STYLE_SEEDS[style], 77])
    if style == "watercolour":
        return (1.02 + 0.13 * _noise(rng, side, 22))[:, :, None].astype(np.float32)
    if style == "crayon":
        ramp = np.arange(side, dtype=np.float32) / side
        strokes = np.sin((ramp[None, :] - ramp[:, None] * 0.7) * 2 * math.pi * 60 + 2.5 * _noise(rng, side, 30))
        return (1.0 + 0.09 * strokes + 0.08 * _noise(rng, side, min(side, 200)))[:, :, None].astype(np.float32)
    return None
