"""The bins in which Florence-2 writes boxes: four numbers from 0 to 999, left, top, right and bottom."""

from __future__ import annotations

from collections.abc import Sequence

from vision.types import Box

BINS = 1000
"""Bins along each side of the picture."""
CORNERS = 4
"""Locations that make a box."""


def bins_of(box: Box) -> tuple[int, int, int, int]:
    """The bins that hold the four edges of a box; equal ones where it is thinner than a bin."""
    left, top, right, bottom = (min(int(edge * BINS), BINS - 1) for edge in box.as_xyxy())
    return left, top, right, bottom


def box_of(bins: Sequence[int]) -> Box | None:
    """The box between the middles of four bins; None where it has no area, is inverted or outside.

    Middles are how the model's authors read their own boxes (`Florence2PostProcessor.dequantize`).
    """
    left, top, right, bottom = bins
    if not (0 <= left < right < BINS and 0 <= top < bottom < BINS):
        return None
    return Box((left + 0.5) / BINS, (top + 0.5) / BINS, (right + 0.5) / BINS, (bottom + 0.5) / BINS)
