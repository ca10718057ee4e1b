"""Derived boxes and scores of patches, on patches whose content is known."""

from __future__ import annotations

import numpy as np
import pytest

from search.patches.boxes import derived_boxes
from search.patches.scores import patch_scores, patch_units, peaks_of
from vision.looks import GRID, Looks

THING, REST = np.array([1, 0, 0], np.float32), np.array([0, 1, 0], np.float32)


def picture(thing: tuple[slice, slice] | None, strength: float = 1.0) -> Looks:
    patches = np.tile(REST, (1, GRID, GRID, 1))
    if thing is not None:
        patches[0][thing] = strength * THING + np.sqrt(1 - strength**2) * REST
    return Looks(patches, np.array([[0, 0, 1, 1]], np.float32))


def test_a_box_lies_on_the_patches_that_show_the_thing() -> None:
    moved = Looks(picture((slice(2, 6), slice(4, 8))).patches, np.array([[0.5, 0, 1, 1]], np.float32))
    pictures = [picture((slice(2, 6), slice(4, 8))), picture(None), moved]
    found = derived_boxes(pictures, [one.cosines(THING[None])[:, 0] for one in pictures])
    assert found[0] is not None
    assert found[0].as_xyxy() == pytest.approx((0.5, 0.25, 1, 0.75), abs=0.07)
    assert found[1] is None
    assert found[2] is not None
    assert found[2].as_xyxy() == pytest.approx((0.75, 0.25, 1, 0.75), abs=0.07)  # by the part that it lies over
    assert derived_boxes([], []) == []


def test_a_picture_is_scored_by_its_best_patches_in_units_of_the_sample() -> None:
    shown, weak, bare = picture((slice(0, 2), slice(0, 2))), picture((slice(0, 2), slice(0, 2)), 0.5), picture(None)
    scores = patch_scores([one.cosines(np.stack([THING, REST])) for one in (shown, weak, bare)])
    np.testing.assert_allclose(scores[:, 0], [1, 0.5, 0], atol=1e-6)
    units = patch_units([bare, weak, bare, weak, bare] * 2, np.stack([THING, REST]))
    assert units is not None
    np.testing.assert_allclose(units.of(scores)[:, 0], [1 / scores_spread(), 0.5 / scores_spread(), 0], atol=1e-4)
    assert patch_units([shown] * 7, THING[None]) is None


def scores_spread() -> float:
    return float(np.std([0, 0.5, 0, 0.5, 0]))


def test_strength_compares_with_pictures_in_general_and_needs_some() -> None:
    sample = [picture((slice(0, 1), slice(0, 1)), 0.1 * number) for number in range(10)]
    units = patch_units(sample, THING[None])
    assert units is not None
    asked = [picture((slice(0, 1), slice(0, 1))), picture(None)]
    strengths = units.strengths(peaks_of(asked, [one.cosines(THING[None]) for one in asked], 1))
    assert strengths.shape == (2, 1)
    assert strengths[0, 0] > 0.5
    assert strengths[1, 0] == 0
