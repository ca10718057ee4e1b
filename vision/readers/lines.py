"""From a map of how surely each pixel belongs to a line of text to the corners of the lines, and their upright crops.

The map is that of a network trained by differentiable binarization (Liao et al., AAAI 2020): it shows the core of each
line, which is as much smaller than the line as its area times a ratio over its perimeter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.readers.opencv import opencv
from vision.types import RgbImage

Corners = NDArray[np.float32]
"""`(4, 2)` float32, x and y in pixels, clockwise from the top left of the writing."""

_SHOWN_FROM = 0.3
_SURE_FROM = 0.5
"""How surely a pixel, and a core on average, must be text."""

_GROWN_BY = 1.6
"""Ratio by which cores are grown to lines."""

_LEAST_PX = 3.0
_MOST = 1000
"""Lines of one picture: a page of a newspaper has 700."""

_UPENDED = 1.5
"""A crop so many times as high as wide is writing from top to bottom, or turned by a quarter."""

_SAME_ROW = 0.5
"""Of a line's height; lines whose middles are nearer than that stand side by side."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A line that was found: its corners on the picture, and how surely it is one, in [0, 1]."""

    corners: Corners
    sure: float


def find_lines(chances: NDArray[np.float32], width_px: int, height_px: int) -> list[Place]:
    """Lines of a picture in reading order.

    Args:
        chances: `(h, w)` in [0, 1], of a picture of any scale.
        width_px: of the picture on which the corners shall lie.
        height_px: the same.
    """
    cv2 = opencv()
    mask = (chances > _SHOWN_FROM).astype(np.uint8)
    contours, _ = cv2.findContours(cv2.dilate(mask, np.ones((2, 2), np.uint8)), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([width_px / chances.shape[1], height_px / chances.shape[0]], np.float32)
    found: list[Place] = []
    for contour in contours[:_MOST]:
        middle, sides, angle = cv2.minAreaRect(contour)
        if min(sides) < _LEAST_PX:
            continue
        sure = _mean_within(chances, np.asarray(cv2.boxPoints((middle, sides, angle)), np.float32))
        if sure < _SURE_FROM:
            continue
        grown = sides[0] * sides[1] * _GROWN_BY / (2 * (sides[0] + sides[1]))
        whole = cv2.boxPoints((middle, (sides[0] + 2 * grown, sides[1] + 2 * grown), angle))
        corners = _clockwise(np.asarray(whole, np.float32)) * scale
        found.append(Place(np.clip(corners, 0, [width_px, height_px]).astype(np.float32), sure))
    return _in_reading_order(found)


def _mean_within(chances: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    """Mean of the map over a rectangle at any angle."""
    height, width = chances.shape
    low = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, [width - 1, height - 1])
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, [width - 1, height - 1])
    part = chances[low[1] : high[1] + 1, low[0] : high[0] + 1]
    mask = np.zeros(part.shape, np.uint8)
    opencv().fillPoly(mask, [np.round(corners - low).astype(np.int32)], 1)
    return float(part[mask > 0].mean()) if mask.any() else 0.0


def _clockwise(corners: Corners) -> Corners:
    """Corners from the top left on: the two leftmost are the left side, the higher of each side is its top."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (by_x[:2], by_x[2:]))
    return np.stack([left[0], right[0], right[1], left[1]])


def _in_reading_order(places: list[Place]) -> list[Place]:
    """Rows from top to bottom; within a row from left to right."""
    rows: list[list[Place]] = []
    for place in sorted(places, key=lambda one: float(one.corners[:, 1].mean())):
        middle = float(place.corners[:, 1].mean())
        last = rows[-1][-1] if rows else None
        if last is not None and middle - float(last.corners[:, 1].mean()) < _SAME_ROW * _height(last.corners):
            rows[-1].append(place)
        else:
            rows.append([place])
    return [place for row in rows for place in sorted(row, key=lambda one: float(one.corners[:, 0].min()))]


def _height(corners: Corners) -> float:
    return float(np.linalg.norm(corners[3] - corners[0]))


def cut_line(picture: RgbImage, corners: Corners) -> RgbImage:
    """The line alone, level, at its own size; a tall one is turned a quarter to the left."""
    width = max(round(float(max(_distance(corners, 0, 1), _distance(corners, 3, 2)))), 1)
    height = max(round(float(max(_distance(corners, 0, 3), _distance(corners, 1, 2)))), 1)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    cv2 = opencv()
    turned = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), target)
    line = cv2.warpPerspective(picture, turned, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if height >= _UPENDED * width:
        line = np.rot90(line)
    return np.ascontiguousarray(line, np.uint8)


def _distance(corners: Corners, one: int, other: int) -> float:
    return float(np.linalg.norm(corners[one] - corners[other]))
