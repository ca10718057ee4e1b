"""From a heat map to a box: the rectangle that holds most of what stands out of the picture's own background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.errors import GeometryError
from vision.types import Box

THRESHOLD_SHARE = 0.5
"""Where between background and peak a cell stops belonging to the thing; chosen on drawn scenes (decision 0025)."""

_FINE = 24
"""Cells a side that maps are interpolated to: a box may end within a patch."""


@dataclass(frozen=True, slots=True)
class Background:
    """What the peaks of a text's maps reach on pictures that do not show it.

    Attributes:
        middle: their median, a cosine.
        high: a cosine that hardly any of them reaches; above `middle`.
    """

    middle: float
    high: float

    def strength(self, peak: float) -> float:
        """Strength in [0, 1] of a peak: 0 at `middle` and below, 0.5 at `high`, 1 as far again beyond."""
        span = max(self.high - self.middle, 1e-6)
        return float(np.clip((peak - self.middle) / (2 * span), 0, 1))


def background_of(peaks: NDArray[np.floating]) -> Background:
    """The background of a text from the peaks of its maps on other pictures.

    Args:
        peaks: `(n,)` cosines, `n` at least 1. Pictures that show the thing may be among them, as long as they are few.

    Raises:
        GeometryError: there are none, or one is not finite.
    """
    if peaks.size == 0 or not np.isfinite(peaks).all():
        raise GeometryError("a background needs finite cosines, at least one")
    return Background(float(np.median(peaks)), float(np.quantile(peaks, 0.95)))


def box_from_heat(heat: NDArray[np.float32], covers: Box) -> Box | None:
    """Draw the box of what a map shows.

    The map is interpolated; of all rectangles the one with the largest sum of (cosine − threshold) is taken (maximum
    subarray over a summed-area table), the threshold lying between the map's median and its peak.

    Args:
        heat: `(rows, columns)` cosines; cells that are not finite count as background.
        covers: the part of the picture that the map lies over.

    Returns:
        None where the map has no differences, and so points nowhere.

    Raises:
        GeometryError: the map is empty, not two-dimensional or nowhere finite.
    """
    return box_from_heats([heat], [covers])


def box_from_heats(heats: Sequence[NDArray[np.float32]], covers: Sequence[Box]) -> Box | None:
    """As `box_from_heat`, from several maps of overlapping parts of one picture, averaged where they overlap.

    Raises:
        GeometryError: as there, or there are no maps, or not one part for each.
    """
    fine, part = _painted(heats, covers)
    background, peak = float(np.median(fine)), float(fine.max())
    if not peak - background > 1e-6:
        return None
    x0, y0, x1, y1 = _best_rectangle(fine - (background + THRESHOLD_SHARE * (peak - background))) / _FINE
    across, down = part.x1 - part.x0, part.y1 - part.y0
    return Box(
        part.x0 + across * x0, part.y0 + down * y0, min(1.0, part.x0 + across * x1), min(1.0, part.y0 + down * y1)
    )


def _painted(heats: Sequence[NDArray[np.float32]], covers: Sequence[Box]) -> tuple[NDArray[np.float64], Box]:
    """All maps on one fine grid over the smallest box that holds their parts."""
    if not heats or len(heats) != len(covers):
        raise GeometryError(f"every map needs its part of the picture, got {len(heats)} maps and {len(covers)} parts")
    whole = Box(
        min(part.x0 for part in covers),
        min(part.y0 for part in covers),
        max(part.x1 for part in covers),
        max(part.y1 for part in covers),
    )
    total, weight = np.zeros((_FINE, _FINE)), np.zeros((_FINE, _FINE))
    for heat, part in zip(heats, covers, strict=True):
        known = _known(heat)
        down = _shares(part.y0, part.y1, whole.y0, whole.y1, heat.shape[0])
        across = _shares(part.x0, part.x1, whole.x0, whole.x1, heat.shape[1])
        total += down @ known @ across.T
        weight += np.outer(down.sum(axis=1), across.sum(axis=1))
    seen = weight > 0
    lowest = float((total[seen] / weight[seen]).min())
    return np.divide(total, weight, out=np.full_like(total, lowest), where=seen), whole


def _known(heat: NDArray[np.float32]) -> NDArray[np.float64]:
    if heat.ndim != 2 or 0 in heat.shape:
        raise GeometryError(f"a heat map has rows and columns, got the shape {heat.shape}")
    finite = np.isfinite(heat)
    if not finite.any():
        raise GeometryError("a heat map needs a finite cell")
    return np.where(finite, heat, np.median(heat[finite])).astype(np.float64)


def _shares(start: float, end: float, whole_start: float, whole_end: float, cells: int) -> NDArray[np.float64]:
    """How much each cell of a part has in each fine cell of the whole; `(_FINE, cells)`, rows sum to 1, or 0."""
    middles = whole_start + (np.arange(_FINE) + 0.5) / _FINE * (whole_end - whole_start)
    within = (middles - start) / (end - start)
    places = np.clip(within * cells - 0.5, 0, cells - 1)
    shares: NDArray[np.float64] = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(cells)))
    shares[(within < 0) | (within > 1)] = 0
    return shares


def _best_rectangle(gain: NDArray[np.float64]) -> NDArray[np.float64]:
    """x0, y0, x1, y1 in cells of the rectangle with the largest sum; it holds a positive cell if there is one."""
    sums = np.zeros((gain.shape[0] + 1, gain.shape[1] + 1))
    sums[1:, 1:] = gain.cumsum(axis=0).cumsum(axis=1)
    strips = sums[:, None, :] - sums[None, :, :]
    top, bottom = np.triu_indices(len(sums), 1)
    left, right = np.triu_indices(sums.shape[1], 1)
    strips = strips[bottom, top]
    totals = strips[:, right] - strips[:, left]
    row, column = np.unravel_index(int(np.argmax(totals)), totals.shape)
    return np.array([left[column], top[row], right[column], bottom[row]], dtype=np.float64)
