"""A part of a picture that was given, in the words of whoever gave it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from search.errors import QueryError
from vision.errors import GeometryError
from vision.types import Box, RgbImage


def cropped(pictures: Sequence[RgbImage], crops: Sequence[str]) -> tuple[RgbImage, ...]:
    """The pictures, each cut to its part; those without one whole.

    Args:
        pictures: HWC uint8 RGB, upright.
        crops: `left,top,right,bottom` in shares of the sides, one for each of the first pictures; empty for the whole.

    Raises:
        QueryError: there are more parts than pictures, or one is none.
    """
    if len(crops) > len(pictures):
        raise QueryError(f"{len(crops)} crops came with {len(pictures)} pictures", remedy="Give one for each picture.")
    parts = [*crops, *[""] * (len(pictures) - len(crops))]
    return tuple(_cut(picture, part) for picture, part in zip(pictures, parts, strict=True))


def _cut(picture: RgbImage, part: str) -> RgbImage:
    if not part.strip():
        return picture
    try:
        box = Box(*(float(value) for value in part.split(",")))
    except (ValueError, TypeError, GeometryError) as error:
        raise QueryError(
            f"the crop {part[:80]!r} is no part of a picture",
            remedy="Give left, top, right and bottom as shares of its sides, such as 0.1,0.2,0.6,0.9.",
        ) from error
    height, width = picture.shape[:2]
    x0, y0 = min(int(box.x0 * width), width - 1), min(int(box.y0 * height), height - 1)
    x1, y1 = max(x0 + 1, round(box.x1 * width)), max(y0 + 1, round(box.y1 * height))
    return np.ascontiguousarray(picture[y0:y1, x0:x1])
