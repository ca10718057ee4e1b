"""A picture of our own: what fails on it fails on any, and no picture of the library is to blame."""

from __future__ import annotations

import numpy as np

from vision.types import RgbImage


def control_picture(size_hw: tuple[int, int]) -> RgbImage:
    """Ramps of three steepnesses, one a channel, `(height, width, 3)` uint8: neither flat nor of one colour."""
    ramps = np.indices(size_hw).sum(axis=0)[..., None] * np.array([3, 5, 7])
    picture: RgbImage = (ramps % 256).astype(np.uint8)
    return picture
