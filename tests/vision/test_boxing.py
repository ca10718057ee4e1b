"""Boxes of heat maps lie where the heat is, end within patches, and are absent where a map points nowhere."""

from __future__ import annotations

import numpy as np
import pytest

from vision.boxing import Background, background_of, box_from_heat, box_from_heats
from vision.errors import GeometryError
from vision.geometry import iou
from vision.types import Box

WHOLE = Box(0, 0, 1, 1)


def test_a_warm_rectangle_is_boxed_where_it_is_within_the_part_that_was_seen() -> None:
    heat = np.zeros((8, 8), np.float32)
    heat[2:5, 4:7] = 0.6
    assert iou(box_from_heat(heat, WHOLE) or WHOLE, Box(0.5, 0.25, 0.875, 0.625)) > 0.8
    left = box_from_heat(heat, Box(0, 0, 0.5, 1))
    assert iou(left or WHOLE, Box(0.25, 0.25, 0.4375, 0.625)) > 0.8


def test_a_map_without_differences_points_nowhere() -> None:
    assert box_from_heat(np.full((4, 4), 0.2, np.float32), WHOLE) is None


def test_maps_of_parts_are_laid_over_each_other() -> None:
    heat = np.zeros((4, 4), np.float32)
    heat[1:3, 1:3] = 1
    box = box_from_heats([np.zeros((4, 4), np.float32), heat], [WHOLE, Box(0, 0, 0.5, 0.5)])
    assert iou(box or WHOLE, Box(0.125, 0.125, 0.375, 0.375)) > 0.5


@pytest.mark.parametrize(
    "heat", [np.zeros((0, 3), np.float32), np.zeros(3, np.float32), np.full((2, 2), np.nan, np.float32)]
)
def test_something_that_is_no_map_is_refused(heat: np.ndarray) -> None:
    with pytest.raises(GeometryError, match="heat map"):
        box_from_heat(heat, WHOLE)


def test_strength_lies_in_zero_to_one_and_is_half_where_absent_things_end() -> None:
    background = background_of(np.linspace(0, 0.2, 101))
    assert [background.strength(peak) for peak in (-1, 0.1, 2)] == [0, 0, 1]
    assert background.strength(background.high) == pytest.approx(0.5)
    assert Background(0.1, 0.1).strength(0.1) == 0
    with pytest.raises(GeometryError):
        background_of(np.array([]))
