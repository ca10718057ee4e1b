"""A hash of what a picture looks like: copies of one picture, smaller or compressed again, differ in few bits."""

from __future__ import annotations

import numpy as np
from PIL import Image

_SIDE = 32
_KEPT = 8
_LEAST = 4.0
"""Median amount of a kept frequency below which a picture is plain: there, rounding decides on each bit."""

_PLACES = np.arange(_SIDE)
# Without the frequency 0 along either side: on drawings with a plain ground it says the same of all of them.
_COSINES = np.cos(np.pi * (2 * _PLACES[None] + 1) * np.arange(1, _KEPT + 1)[:, None] / (2 * _SIDE))

PLAIN = 0
"""The hash of a picture without enough structure to tell it by; it says nothing about likeness."""


def perceptual_hash(picture: Image.Image) -> int:
    """64 bits as a signed number: which of the 8 × 8 lowest frequencies are above their median.

    The discrete cosine transform of the picture in grey at 32 × 32 pixels; after Zauner, "Implementation and
    benchmarking of perceptual image hash functions" (2010), with frequencies 1 to 8 along both sides.

    Args:
        picture: RGB, upright, of any size.

    Returns:
        At least -2^63 and below 2^63; `PLAIN` where there is nothing to tell by.
    """
    small = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX, reducing_gap=3.0)
    waves = _COSINES @ np.asarray(small, np.float64) @ _COSINES.T
    if np.median(np.abs(waves)) < _LEAST:
        return PLAIN
    bits = np.packbits(waves.ravel() > np.median(waves))
    return int(np.frombuffer(bits.tobytes(), ">i8")[0])
