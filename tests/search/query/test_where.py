"""Derived boxes are made once, for the phrases asked for, and come back without pixels; patches score part by part."""

from __future__ import annotations

import numpy as np
import pytest

from search.errors import QueryError
from search.query.sources.patches import in_own_units, patch_scores
from search.query.where import DerivedBoxes
from vision.boxing import Background
from vision.encoders.registry import load_encoder


def test_a_box_is_derived_once_and_its_strength_follows_the_background() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    boxes = DerivedBoxes(load_encoder("storybook-encoder", threads=1))
    first = boxes.of("a", picture, ["a red car"], [None])
    assert (len(first), first[0].strength) == (1, None)
    assert boxes.missing("a", ["a red car", "a dog"]) == ["a dog"]
    (again,) = boxes.of("a", None, ["a red car"], [Background(first[0].peak - 1, first[0].peak)])
    assert (again.box, again.strength) == (first[0].box, pytest.approx(0.5))
    assert boxes.of("b", None, ["a red car"], [None]) == []


def test_a_part_is_scored_by_the_best_patch_in_units_of_its_own_spread() -> None:
    patches = np.eye(3, dtype=np.float32)[[[0, 1], [2, 2]]]
    scores = patch_scores(patches, np.eye(3, dtype=np.float32)[:2])
    assert scores.tolist() == [[1, 1], [0, 0]]
    assert in_own_units(scores, scores).tolist() == [[1, 1], [-1, -1]]
    with pytest.raises(QueryError):
        patch_scores(patches, np.ones((1, 2), np.float32))
