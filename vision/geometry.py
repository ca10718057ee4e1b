"""Boxes: in from other conventions, out to pixels, and how much two of them overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.errors import GeometryError
from vision.types import Box


def coco_xywh_to_box(xywh_px: Sequence[float], resolution_wh: tuple[int, int]) -> Box:
    """Turn a COCO box into ours, clipped to the image.

    Args:
        xywh_px: left, top, width, height in pixels of the upright image.
        resolution_wh: width and height of that image in pixels.

    Raises:
        GeometryError: the resolution is not positive, there are not four finite numbers, the width or height is not
            positive, or nothing of the box lies inside the image.
    """
    if len(xywh_px) != 4:
        raise GeometryError(f"a COCO box has four numbers (x, y, width, height), got {len(xywh_px)}")
    left, top, width, height = (float(value) for value in xywh_px)
    if not (width > 0 and height > 0):
        raise GeometryError(f"a box must have a positive width and height, got {width:g} × {height:g}")
    return xyxy_px_to_box((left, top, left + width, top + height), resolution_wh)


def xyxy_px_to_box(xyxy_px: Sequence[float], resolution_wh: tuple[int, int]) -> Box:
    """Turn corners in pixels into a box, clipped to the image.

    Args:
        xyxy_px: left, top, right, bottom in pixels of the upright image; right and bottom are edges, not pixels.
        resolution_wh: width and height of that image in pixels.

    Raises:
        GeometryError: the resolution is not positive, there are not four finite numbers, or nothing of the box lies
            inside the image.
    """
    if len(xyxy_px) != 4:
        raise GeometryError(f"a box has four corners' coordinates, got {len(xyxy_px)}")
    corners = [float(value) for value in xyxy_px]
    if not all(math.isfinite(value) for value in corners):
        raise GeometryError(f"box coordinates must be finite, got {tuple(corners)}")
    width, height = _checked_resolution(resolution_wh)
    x0, y0 = _clip(corners[0] / width), _clip(corners[1] / height)
    x1, y1 = _clip(corners[2] / width), _clip(corners[3] / height)
    if x1 <= x0 or y1 <= y0:
        raise GeometryError(f"no area of the box {tuple(corners)} lies inside an image of {width} × {height} pixels")
    return Box(x0, y0, x1, y1)


def box_to_xywh_px(box: Box, resolution_wh: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return left, top, width, height in (fractional) pixels of an image of `resolution_wh`.

    Raises:
        GeometryError: the resolution is not positive.
    """
    width, height = _checked_resolution(resolution_wh)
    return (box.x0 * width, box.y0 * height, (box.x1 - box.x0) * width, (box.y1 - box.y0) * height)


def area(box: Box) -> float:
    """Share of the image that the box covers, in (0, 1]."""
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes of the same image, in [0, 1]; 1 only for equal boxes."""
    matrix = iou_matrix(boxes_to_array([first]), boxes_to_array([second]))
    return float(matrix[0, 0])


def boxes_to_array(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Stack boxes into `(n, 4)` float64, normalised xyxy, in order; no boxes give `(0, 4)`."""
    return np.array([box.as_xyxy() for box in boxes], dtype=np.float64).reshape(len(boxes), 4)


def iou_matrix(first_xyxy: NDArray[np.floating], second_xyxy: NDArray[np.floating]) -> NDArray[np.float64]:
    """Intersection over union of every box of one set with every box of another.

    Args:
        first_xyxy: `(n, 4)` corners; any unit, if both sets share it.
        second_xyxy: `(m, 4)` corners.

    Returns:
        `(n, m)` float64 in [0, 1]; 0 where both boxes have no area.

    Raises:
        GeometryError: an array does not have the shape `(n, 4)`, or a corner is not finite or in the wrong order.
    """
    first, second = _checked_corners(first_xyxy), _checked_corners(second_xyxy)
    upper_left = np.maximum(first[:, None, :2], second[None, :, :2])
    lower_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    intersection = np.clip(lower_right - upper_left, 0.0, None).prod(axis=2)
    areas_first = (first[:, 2:] - first[:, :2]).prod(axis=1)
    areas_second = (second[:, 2:] - second[:, :2]).prod(axis=1)
    union = areas_first[:, None] + areas_second[None, :] - intersection
    overlap: NDArray[np.float64] = np.zeros_like(union)
    np.divide(intersection, union, out=overlap, where=union > 0)
    np.minimum(overlap, 1.0, out=overlap)  # a union may round to a hair below its intersection
    return overlap


def _checked_resolution(resolution_wh: tuple[int, int]) -> tuple[int, int]:
    width, height = resolution_wh
    if width < 1 or height < 1:
        raise GeometryError(f"an image must have at least 1 × 1 pixels, got {width} × {height}")
    return width, height


def _checked_corners(xyxy: NDArray[np.floating]) -> NDArray[np.float64]:
    corners = np.asarray(xyxy, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 4:
        raise GeometryError(f"boxes must have the shape (n, 4), got {corners.shape}")
    if not np.isfinite(corners).all() or (corners[:, 2:] < corners[:, :2]).any():
        raise GeometryError("boxes must be finite, with x0 <= x1 and y0 <= y1")
    return corners


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))
