"""Samples of any depth become bytes: integers by their range, floats by the range that they really have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.decoder.contract import RefusalError

_ROWS = 128
"""Worked on at a time: a picture at the limit must not need three float copies of itself."""

_BITS_PER_SAMPLE = 258  # TIFF tag


def eight_bits(samples: NDArray[Any], most: float | None = None) -> NDArray[np.uint8]:
    """Scale samples to uint8.

    Samples with a nominal range keep it, so that a dark picture stays dark: unsigned integers of 8 and 16 bits. Wider
    integers and floats have none. They are read as [0, 1] (floats), [0, 255] or [0, 65535] if all of them lie there,
    and stretched from their smallest to their largest value if not. What is not finite becomes black.

    Args:
        samples: of any shape and real type.
        most: the largest nominal value, where it is less than the type's.

    Raises:
        RefusalError: unsupported_format; the samples are no numbers.
    """
    if samples.dtype == np.uint8 and most is None:
        return np.ascontiguousarray(samples)
    if samples.dtype.kind not in "iufb":
        raise RefusalError("unsupported_format", f"A picture of {samples.dtype.name} samples is not read.")
    low, high = (0.0, most) if most is not None else _levels(samples)
    scaled = np.empty(samples.shape, np.uint8)
    factor = 255.0 / (high - low) if high > low else 0.0
    for top in range(0, samples.shape[0], _ROWS):
        rows = samples[top : top + _ROWS].astype(np.float64)
        rows[~np.isfinite(rows)] = low
        scaled[top : top + _ROWS] = np.clip(np.rint((rows - low) * factor), 0, 255)
    return scaled


def _levels(samples: NDArray[Any]) -> tuple[float, float]:
    if samples.dtype.kind == "b":
        return 0.0, 1.0
    if samples.dtype.kind == "u" and samples.dtype.itemsize <= 2:
        return 0.0, float(np.iinfo(samples.dtype).max)
    low, high = math.inf, -math.inf
    for top in range(0, samples.shape[0], _ROWS):
        rows = samples[top : top + _ROWS]
        finite = rows[np.isfinite(rows)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:
        return 0.0, 0.0
    for nominal in (1.0, 255.0, 65535.0) if samples.dtype.kind == "f" else (255.0, 65535.0):
        if low >= 0 and high <= nominal:
            return 0.0, nominal
    return low, high


def picture_of(samples: NDArray[Any]) -> Image.Image:
    """Make a picture of decoded samples.

    Args:
        samples: `(height, width)` or `(height, width, channels)`; a second or fourth channel is transparency, more
            than four are cut to three. Scaled as `eight_bits` says.

    Raises:
        RefusalError: unsupported_format.
    """
    if samples.ndim == 2:
        samples = samples[..., None]
    if samples.ndim != 3 or 0 in samples.shape:
        raise RefusalError("unsupported_format", f"A picture of the shape {samples.shape} is not read.")
    scaled = eight_bits(samples if samples.shape[2] <= 4 else samples[..., :3])
    return Image.fromarray(scaled[..., 0] if scaled.shape[2] == 1 else scaled)


def to_eight_bits(picture: Image.Image) -> Image.Image:
    """Turn a Pillow picture of more than 8 bits a sample into mode L; leave other modes alone."""
    if picture.mode.startswith("I;16"):
        most = float(2 ** _bits_per_sample(picture) - 1)
        return Image.fromarray(eight_bits(np.asarray(picture), most))
    if picture.mode in ("I", "F"):
        return Image.fromarray(eight_bits(np.asarray(picture)))
    return picture


def _bits_per_sample(picture: Image.Image) -> int:
    bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
    first = bits[0] if isinstance(bits, tuple) and bits else bits
    return first if isinstance(first, int) and 8 < first <= 16 else 16
