"""Boxes on the 32×32 grid, against the model's own reading of them."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from transformers.models.kosmos2.processing_kosmos2 import coordinate_to_patch_index, patch_index_to_coordinate

from vision.geometry import iou
from vision.grounding.locations import GRID, box_of, locations_of
from vision.types import Box

_CELLS = st.integers(0, GRID * GRID - 1)


@st.composite
def _boxes(draw: st.DrawFn) -> Box:
    left, right = sorted(draw(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True)))
    top, bottom = sorted(draw(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True)))
    return Box(left, top, right, bottom)


@given(_CELLS, _CELLS)
def test_two_cells_are_the_box_that_the_library_reads_or_none_when_inverted(first: int, last: int):
    box = box_of(first, last)
    if box is None:
        assert last // GRID < first // GRID or last % GRID < first % GRID
    else:
        assert box.as_xyxy() == pytest.approx(patch_index_to_coordinate(first, last, GRID))


@given(_boxes())
def test_every_box_has_cells_and_they_make_a_box_again(box: Box):
    first, last = locations_of(box)
    assert 0 <= first < GRID * GRID
    assert 0 <= last < GRID * GRID
    again = box_of(first, last)
    assert again is not None
    assert max(abs(a - b) for a, b in zip(box.as_xyxy(), again.as_xyxy(), strict=True)) <= 1 / GRID + 1e-9


@given(_boxes())
def test_cells_are_those_that_the_model_was_trained_with(box: Box):
    assume(min(box.x1 - box.x0, box.y1 - box.y0) > 1e-9)  # the library's rounding inverts boxes thinner than that
    assert locations_of(box) == coordinate_to_patch_index(box.as_xyxy(), GRID)


def test_the_whole_picture_goes_from_the_first_cell_to_the_last():
    assert locations_of(Box(0, 0, 1, 1)) == (0, GRID * GRID - 1)


def test_an_edge_between_two_cells_belongs_to_the_one_before():
    assert locations_of(Box(0.25, 0.25, 0.5, 0.5)) == (8 * GRID + 8, 15 * GRID + 15)


def test_a_large_box_loses_little_on_the_grid():
    box = Box(0.1, 0.2, 0.7, 0.9)
    again = box_of(*locations_of(box))
    assert again is not None
    assert iou(box, again) > 0.9
