"""Derived boxes and scores of patches, on patches whose content is known."""

from __future__ import annotations

import numpy as np
import pytest

from search.patches.boxes import BoxKey, DerivedBoxes
from search.patches.scores import background_in, patch_scores, patch_units, peak_of
from vision.looks import GRID, Looks

THING, REST = np.array([1, 0, 0], np.float32), np.array([0, 1, 0], np.float32)


def picture(thing: tuple[slice, slice] | None, strength: float = 1.0) -> Looks:
    patches = np.tile(REST, (1, GRID, GRID, 1))
    if thing is not None:
        patches[0][thing] = strength * THING + np.sqrt(1 - strength**2) * REST
    return Looks(patches, np.array([[0, 0, 1, 1]], np.float32))


def test_a_box_lies_on_the_patches_that_show_the_thing_and_is_remembered() -> None:
    boxes, looks = DerivedBoxes(), picture((slice(2, 6), slice(4, 8)))
    key = BoxKey("ab", "cd", 1, "a thing")
    box = boxes.of(key, looks, THING)
    assert box is not None
    assert box.as_xyxy() == pytest.approx((0.5, 0.25, 1, 0.75), abs=0.07)
    assert boxes.of(key, picture(None), THING) is box  # by its key, without looking again
    assert boxes.of(BoxKey("ef", "cd", 1, "a thing"), picture(None), THING) is None


def test_a_picture_is_scored_by_its_best_patches_in_units_of_the_sample() -> None:
    shown, weak, bare = picture((slice(0, 2), slice(0, 2))), picture((slice(0, 2), slice(0, 2)), 0.5), picture(None)
    scores = patch_scores([shown, weak, bare], np.stack([THING, REST]))
    np.testing.assert_allclose(scores[:, 0], [1, 0.5, 0], atol=1e-6)
    units = patch_units([bare, weak, bare, weak, bare] * 2, np.stack([THING, REST]))
    assert units is not None
    np.testing.assert_allclose(units.of(scores)[:, 0], [1 / scores_spread(), 0.5 / scores_spread(), 0], atol=1e-4)
    assert patch_units([shown] * 7, THING[None]) is None


def scores_spread() -> float:
    return float(np.std([0, 0.5, 0, 0.5, 0]))


def test_strength_compares_with_pictures_in_general_and_needs_some() -> None:
    sample = [picture((slice(0, 1), slice(0, 1)), 0.1 * number) for number in range(10)]
    background = background_in(sample, THING)
    assert background is not None
    assert background.strength(peak_of(picture((slice(0, 1), slice(0, 1))), THING, 1)) > 0.5
    assert background.strength(peak_of(picture(None), THING, 1)) == 0
    assert background_in(sample[:5], THING) is None
