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
    if not heats or len(heats) != len(covers):
        raise GeometryError(f"every map needs its part of the picture, got {len(heats)} maps and {len(covers)} parts")
    known = [_known(heat) for heat in heats]
    painter = Painter(tuple(heat.shape for heat in known), tuple(covers))
    return painter.boxes(np.concatenate([heat.reshape(-1) for heat in known])[None])[0]


class Painter:
    """Draws boxes of maps that all lie over the same parts of their pictures: the work that they share is done once.

    Args:
        shapes: rows and columns of each map.
        covers: the part of the picture that each lies over.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], covers: Sequence[Box]) -> None:
        self._whole = Box(
            min(part.x0 for part in covers),
            min(part.y0 for part in covers),
            max(part.x1 for part in covers),
            max(part.y1 for part in covers),
        )
        painted, weight = [], np.zeros((_FINE, _FINE))
        for shape, part in zip(shapes, covers, strict=True):
            down = _shares(part.y0, part.y1, self._whole.y0, self._whole.y1, shape[0])
            across = _shares(part.x0, part.x1, self._whole.x0, self._whole.x1, shape[1])
            painted.append(np.einsum("yr,xc->yxrc", down, across).reshape(_FINE * _FINE, -1))
            weight += np.outer(down.sum(axis=1), across.sum(axis=1))
        self._seen = weight.reshape(-1) > 0
        shares = np.concatenate(painted, axis=1) / np.maximum(weight.reshape(-1), 1e-12)[:, None]
        self._shares: NDArray[np.float32] = shares.astype(np.float32)

    def boxes(self, cells: NDArray[np.floating]) -> list[Box | None]:
        """The box of each picture's maps; None where they have no differences.

        Args:
            cells: `(n, cells)` cosines, the maps of each picture one after the other, row by row.
        """
        fine = cells.astype(np.float32) @ self._shares.T
        if not self._seen.all():
            fine[:, ~self._seen] = fine[:, self._seen].min(axis=1)[:, None]
        background, peak = np.median(fine, axis=1), fine.max(axis=1)
        threshold = background + THRESHOLD_SHARE * (peak - background)
        corners = _best_rectangles((fine - threshold[:, None]).reshape(-1, _FINE, _FINE)) / _FINE
        differs = peak - background > 1e-6
        return [self._box(corner) if there else None for corner, there in zip(corners, differs, strict=True)]

    def _box(self, corner: NDArray[np.float64]) -> Box:
        part = self._whole
        across, down = part.x1 - part.x0, part.y1 - part.y0
        x0, y0, x1, y1 = (float(value) for value in corner)
        return Box(
            part.x0 + across * x0, part.y0 + down * y0, min(1.0, part.x0 + across * x1), min(1.0, part.y0 + down * y1)
        )


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


def _best_rectangles(gain: NDArray[np.float32]) -> NDArray[np.float64]:
    """x0, y0, x1, y1 in cells of the rectangle with the largest sum, of each of `(n, rows, columns)`; it holds a
    positive cell if there is one.
    """
    count, rows, columns = gain.shape
    sums = np.zeros((count, rows + 1, columns + 1), np.float32)
    sums[:, 1:, 1:] = gain.cumsum(axis=1).cumsum(axis=2)
    top, bottom = np.triu_indices(rows + 1, 1)
    left, right = np.triu_indices(columns + 1, 1)
    corners = np.empty((count, 4))
    for number in range(count):
        strips = sums[number, bottom] - sums[number, top]
        row, column = np.unravel_index(int(np.argmax(strips[:, right] - strips[:, left])), (len(top), len(left)))
        corners[number] = left[column], top[row], right[column], bottom[row]
    return corners
