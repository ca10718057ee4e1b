"""Boxes survive every conversion, and overlaps obey the laws of overlap."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.errors import GeometryError
from vision.geometry import area, box_to_xywh_px, boxes_to_array, coco_xywh_to_box, iou, iou_matrix, xyxy_px_to_box
from vision.types import Box

sides = st.integers(1, 20_000)
coordinates = st.floats(-50_000, 50_000, allow_nan=False)
extents = st.floats(0.001, 50_000)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x0, x1 = sorted(draw(st.lists(st.integers(0, 64), min_size=2, max_size=2, unique=True)))
    y0, y1 = sorted(draw(st.lists(st.integers(0, 64), min_size=2, max_size=2, unique=True)))
    return Box(x0 / 64, y0 / 64, x1 / 64, y1 / 64)


@given(coordinates, coordinates, extents, extents, sides, sides)
def test_a_coco_box_becomes_a_box_inside_the_image_or_an_error(
    x: float, y: float, width: float, height: float, image_width: int, image_height: int
) -> None:
    resolution_wh = (image_width, image_height)
    try:
        box = coco_xywh_to_box((x, y, width, height), resolution_wh)
    except GeometryError:
        # In exact arithmetic it lies outside, or shares less with the image than a float can tell.
        inside_w = min(x + width, image_width) - max(x, 0)
        inside_h = min(y + height, image_height) - max(y, 0)
        assert inside_w <= 1e-9 * image_width or inside_h <= 1e-9 * image_height
    else:
        left, top, inner_width, inner_height = box_to_xywh_px(box, resolution_wh)
        assert left == pytest.approx(max(x, 0), abs=1e-6)
        assert top == pytest.approx(max(y, 0), abs=1e-6)
        assert left + inner_width == pytest.approx(min(x + width, image_width), abs=1e-6)
        assert top + inner_height == pytest.approx(min(y + height, image_height), abs=1e-6)


@given(boxes(), sides, sides)
def test_a_box_survives_the_way_to_pixels_and_back(box: Box, width: int, height: int) -> None:
    back = coco_xywh_to_box(box_to_xywh_px(box, (width, height)), (width, height))
    assert back.as_xyxy() == pytest.approx(box.as_xyxy(), abs=1e-12)


@given(boxes(), boxes())
def test_overlap_is_symmetric_bounded_and_full_only_for_equal_boxes(first: Box, second: Box) -> None:
    overlap = iou(first, second)
    assert 0.0 <= overlap <= 1.0
    assert overlap == pytest.approx(iou(second, first))
    assert (overlap > 1 - 1e-9) == (first == second)


@given(boxes(), boxes())
def test_overlap_agrees_with_counting_cells_of_the_grid(first: Box, second: Box) -> None:
    def cells(box: Box) -> np.ndarray:
        grid = np.zeros((64, 64), dtype=bool)
        x0, y0, x1, y1 = (round(value * 64) for value in box.as_xyxy())
        grid[y0:y1, x0:x1] = True
        return grid

    one, two = cells(first), cells(second)
    assert iou(first, second) == pytest.approx((one & two).sum() / (one | two).sum())
    assert area(first) == pytest.approx(one.mean())


@given(st.lists(boxes(), max_size=5), st.lists(boxes(), max_size=5))
def test_the_matrix_holds_the_overlap_of_every_pair(first: list[Box], second: list[Box]) -> None:
    matrix = iou_matrix(boxes_to_array(first), boxes_to_array(second))
    assert matrix.shape == (len(first), len(second))
    for row, one in enumerate(first):
        for column, two in enumerate(second):
            assert matrix[row, column] == pytest.approx(iou(one, two))


def test_boxes_without_area_overlap_nothing() -> None:
    point = np.array([[0.5, 0.5, 0.5, 0.5]])
    assert iou_matrix(point, point).tolist() == [[0.0]]


def test_a_box_over_the_edge_is_clipped() -> None:
    assert coco_xywh_to_box((-10, 40, 60, 200), (100, 80)) == Box(0.0, 0.5, 0.5, 1.0)
    assert xyxy_px_to_box((90, 70, 300, 300), (100, 80)) == Box(0.9, 0.875, 1.0, 1.0)


@pytest.mark.parametrize(
    ("xywh_px", "resolution_wh", "message"),
    [
        ((1, 2, 3), (10, 10), "four numbers"),
        ((1, 2, 3, 4, 5), (10, 10), "four numbers"),
        ((0, 0, 0, 5), (10, 10), "positive width and height"),
        ((0, 0, 5, -5), (10, 10), "positive width and height"),
        ((0, 0, math.nan, 5), (10, 10), "positive width and height"),
        ((math.nan, 0, 5, 5), (10, 10), "finite"),
        ((0, 0, math.inf, 5), (10, 10), "finite"),
        ((10, 0, 5, 5), (10, 10), "no area"),
        ((-5, 0, 5, 5), (10, 10), "no area"),
        ((0, 0, 5, 5), (0, 10), "1 × 1 pixels"),
        ((0, 0, 5, 5), (10, -1), "1 × 1 pixels"),
    ],
)
def test_a_box_that_is_none_is_refused(
    xywh_px: tuple[float, ...], resolution_wh: tuple[int, int], message: str
) -> None:
    with pytest.raises(GeometryError, match=message):
        coco_xywh_to_box(xywh_px, resolution_wh)


@pytest.mark.parametrize(
    "corners",
    [
        np.zeros(4),
        np.zeros((2, 3)),
        np.array([[0.5, 0.0, 0.4, 1.0]]),
        np.array([[0.0, 0.0, np.nan, 1.0]]),
    ],
    ids=["one box without its own axis", "three columns", "wrong order", "not finite"],
)
def test_malformed_arrays_of_boxes_are_refused(corners: np.ndarray) -> None:
    with pytest.raises(GeometryError, match="boxes must"):
        iou_matrix(corners, np.array([[0.0, 0.0, 1.0, 1.0]]))
