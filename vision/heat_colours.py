"""The colours of heat: equal steps of strength look equal, with every kind of colour vision and in grey."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

LEVELS = 256

# From a dark violet over red and orange to a light yellow, as lightness and hue of OKLab. Lightness rises all the way,
# so the order survives where hues are not told apart, and on paper.
_LIGHTNESS = (0.32, 0.93)
_HUE_DEGREES = (302.0, 462.0)
_MOST_CHROMA = 0.19
_INSIDE = 0.97
"""Share of the most chroma that sRGB can show: at the very edge, rounding would clip."""


@functools.cache
def heat_colours() -> NDArray[np.uint8]:
    """The table, `(256, 3)` uint8 sRGB; row 0 is the weakest, neighbours are equally far apart in OKLab."""
    path = _path(np.linspace(0.0, 1.0, 4 * LEVELS))
    travelled = np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])
    even = np.linspace(0.0, travelled[-1], LEVELS)
    evenly = np.stack([np.interp(even, travelled, path[:, axis]) for axis in range(3)], axis=1)
    table = np.rint(np.clip(oklab_to_srgb(evenly), 0, 1) * 255).astype(np.uint8)
    table.setflags(write=False)  # everybody is handed the same one
    return table


def oklab_to_srgb(oklab: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB of `(..., 3)` OKLab colours; what sRGB cannot show lies outside [0, 1].

    OKLab is Björn Ottosson's "A perceptual color space for image processing" (2020); the curve is IEC 61966-2-1's.
    """
    to_cones = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear: NDArray[np.float64] = (oklab @ to_cones.T) ** 3 @ to_linear.T
    curved = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, curved)


def _path(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """OKLab colours `(n, 3)` at fractions of the way: as colourful as sRGB allows, up to a limit."""
    lightness = _LIGHTNESS[0] + steps * (_LIGHTNESS[1] - _LIGHTNESS[0])
    hues = np.deg2rad(_HUE_DEGREES[0] + steps * (_HUE_DEGREES[1] - _HUE_DEGREES[0]))
    low, high = np.zeros_like(steps), np.full_like(steps, _MOST_CHROMA)
    for _ in range(20):
        middle = (low + high) / 2
        srgb = oklab_to_srgb(_oklab(lightness, middle, hues))
        shown = ((srgb >= 0) & (srgb <= 1)).all(axis=1)
        low, high = np.where(shown, middle, low), np.where(shown, high, middle)
    return _oklab(lightness, _INSIDE * low, hues)


def _oklab(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hues: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.stack([lightness, chroma * np.cos(hues), chroma * np.sin(hues)], axis=1)
