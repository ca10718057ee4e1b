"""Recall@1 under both protocols, by boxes whose overlap can be counted."""

from __future__ import annotations

import math

import pytest

from search.evaluation.grounding import BoxAnswer, around, box_figures
from vision.types import Box

LEFT, RIGHT, WHOLE = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1), Box(0, 0, 1, 1)


@pytest.mark.parametrize(
    ("given", "right", "any_box", "merged_box"),
    [
        (LEFT, (LEFT, RIGHT), 100, 100),  # a half of the whole is an IoU of exactly 0.5
        (Box(0, 0, 0.4, 1), (LEFT, RIGHT), 100, 0),
        (Box(0.05, 0, 0.95, 1), (Box(0, 0, 0.3, 1), Box(0.7, 0, 1, 1)), 0, 100),
        (RIGHT, (LEFT,), 0, 0),
        (None, (WHOLE,), 0, 0),
    ],
)
def test_a_box_is_right_from_half_an_overlap_on(
    given: Box | None, right: tuple[Box, ...], any_box: float, merged_box: float
) -> None:
    found = box_figures([BoxAnswer(0, given, right)])
    assert (found.any_box.value, found.merged_box.value) == (any_box, merged_box)
    assert found.pointed.value == (0 if given is None else 100)


def test_the_rectangle_around_boxes_holds_all_of_them() -> None:
    assert around([Box(0.2, 0.3, 0.4, 0.5), Box(0.1, 0.4, 0.3, 0.9)]) == Box(0.1, 0.3, 0.4, 0.9)


def test_phrases_of_one_picture_hang_together() -> None:
    apart = box_figures([BoxAnswer(n, LEFT if n % 2 else RIGHT, (LEFT,)) for n in range(40)]).any_box
    together = box_figures([BoxAnswer(n // 10, LEFT if n // 10 % 2 else RIGHT, (LEFT,)) for n in range(40)]).any_box
    assert apart.value == together.value == 50
    assert together.high - together.low > apart.high - apart.low


def test_nothing_asked_is_no_figure() -> None:
    assert math.isnan(box_figures([]).any_box.value)
