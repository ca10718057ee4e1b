"""What boxes say about things, numbers and relations."""

from __future__ import annotations

import numpy as np
import pytest

from search.query.compose import Boxed, compose, merged_count, phrase_fit
from search.query.geometry import extent_fit, iou, place_fit, relation_fit
from search.query.sentences.meaning import Relation, RelationName, Thing
from vision.types import Span

LEFT, RIGHT = (0.05, 0.5, 0.3, 0.9), (0.6, 0.5, 0.9, 0.9)
CASES: list[tuple[RelationName, tuple[float, ...], tuple[float, ...]]] = [
    ("left of", LEFT, RIGHT),
    ("right of", RIGHT, LEFT),
    ("above", (0.4, 0.05, 0.6, 0.25), (0.4, 0.6, 0.6, 0.9)),
    ("below", (0.4, 0.6, 0.6, 0.9), (0.4, 0.05, 0.6, 0.25)),
    ("under", (0.42, 0.45, 0.58, 0.9), (0.3, 0.3, 0.7, 0.6)),
    ("next to", (0.1, 0.5, 0.4, 0.9), (0.43, 0.5, 0.7, 0.9)),
    ("in front of", (0.3, 0.6, 0.6, 0.95), (0.4, 0.3, 0.8, 0.85)),
    ("behind", (0.4, 0.3, 0.8, 0.85), (0.3, 0.6, 0.6, 0.95)),
    ("inside", (0.4, 0.55, 0.6, 0.8), (0.3, 0.5, 0.7, 0.85)),
    ("on", (0.4, 0.3, 0.6, 0.55), (0.2, 0.5, 0.8, 0.9)),
    ("near", (0.1, 0.5, 0.4, 0.9), (0.45, 0.4, 0.7, 0.9)),
    ("with", LEFT, RIGHT),
]


def boxes(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float32)


def thing(text: str, count: int | None = None) -> Thing:
    return Thing(text, Span(0, len(text)), text, (text,), count)


@pytest.mark.parametrize(("name", "subject", "other"), CASES, ids=[case[0] for case in CASES])
def test_a_relation_holds_where_it_holds(
    name: RelationName, subject: tuple[float, ...], other: tuple[float, ...]
) -> None:
    assert relation_fit(name, boxes(subject), boxes(other))[0] > 0.6


@pytest.mark.parametrize("name", ["left of", "right of", "above", "below", "in front of", "inside"])
def test_a_relation_that_has_a_direction_does_not_hold_the_other_way_round(name: RelationName) -> None:
    subject, other = next(case[1:] for case in CASES if case[0] == name)
    assert relation_fit(name, boxes(other), boxes(subject))[0] < 0.4


def test_places_and_extents_are_told_apart() -> None:
    small, large = boxes((0.05, 0.1, 0.15, 0.2)), boxes((0.1, 0.3, 0.9, 0.98))
    assert place_fit("left", small)[0] > 0.9
    assert place_fit("right", small)[0] < 0.1
    assert place_fit("top", small)[0] > 0.9
    assert place_fit("foreground", large)[0] > 0.8
    assert place_fit("background", large)[0] < 0.2
    assert extent_fit("small", small)[0] > 0.8
    assert extent_fit("small", large)[0] < 0.2
    assert extent_fit("large", large)[0] > 0.8


def test_the_same_box_overlaps_itself_whole_and_an_empty_one_nothing() -> None:
    assert iou(boxes(LEFT), boxes(LEFT))[0] == pytest.approx(1)
    assert iou(boxes(LEFT), boxes(RIGHT))[0] == 0
    assert iou(boxes((0.5, 0.5, 0.5, 0.5)), boxes((0.5, 0.5, 0.5, 0.5)))[0] == 0


def test_a_phrase_with_every_word_fits_and_one_with_half_of_them_must_lie_nearer() -> None:
    cosines = np.array([[0.3], [0.6], [0.6], [0.9]], np.float32)
    covered = np.array([[1.0], [0.0], [0.5], [0.5]], np.float32)
    fits = phrase_fit(cosines, np.array([0.5], np.float32), covered)[:, 0]
    assert fits[0] >= 0.97
    assert fits[1] > 0.7
    assert fits[2] < 0.2
    assert fits[3] > 0.8


def test_boxes_of_one_place_are_counted_once() -> None:
    strengths = np.ones((1, 3), np.float32)
    shifted = (LEFT[0] + 0.01, *LEFT[1:])
    assert merged_count(strengths, boxes(LEFT, shifted, RIGHT)[None])[0] == pytest.approx(2)


def test_a_sentence_is_checked_on_the_boxes_of_each_picture() -> None:
    """Picture 0 shows the dog left of the tree, 1 the other way round, 2 nothing; the answering boxes come back."""
    boxed = Boxed(
        picture=np.array([0, 0, 1, 1]),
        region_ids=np.array([10, 11, 12, 13]),
        boxes=boxes(LEFT, RIGHT, RIGHT, LEFT),
        fits=np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32),
        shares=np.array([[1, 0], [0, 1], [1, 0], [0, 1]], np.float32),
    )
    found = compose(3, boxed, 2, [thing("dog"), thing("tree")], [Relation("left of", 0, 1)])
    assert found.boxed.tolist() == [True, True, False]
    assert found.relations[0, 0] > 0.8
    assert found.relations[1, 0] < 0.1
    assert found.pairs[0, 0].tolist() == [0, 1]
    assert found.pairs[2, 0].tolist() == [-1, -1]
    assert found.things.tolist() == [[1, 1], [1, 1], [0, 0]]


def test_a_number_is_compared_with_the_boxes_that_fit() -> None:
    ones = np.ones((3, 1), np.float32)
    boxed = Boxed(np.array([0, 0, 1]), np.arange(3), boxes(LEFT, RIGHT, LEFT), ones, ones)
    found = compose(2, boxed, 1, [thing("cats", 2)], [])
    assert found.counted[0, 0] == pytest.approx(1)
    assert found.counted[1, 0] < 0.1


def test_pictures_without_boxes_compose_to_nothing() -> None:
    empty = np.empty((0, 2), np.float32)
    none = Boxed(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4), np.float32), empty, empty)
    found = compose(2, none, 2, [thing("dog"), thing("tree")], [Relation("left of", 0, 1)])
    assert not found.boxed.any()
    assert found.relations.tolist() == [[0], [0]]


def test_boxes_with_some_of_the_words_miss_a_thing_and_boxes_of_other_things_say_nothing() -> None:
    """For "a purple fox": picture 0 has a red fox and a purple ball, 1 a purple fox as well, 2 only a tree."""
    fits = np.array([[0.1], [0.0], [0.1], [0.97], [0.0]], np.float32)
    shares = np.array([[0.5], [0.5], [0.5], [1], [0]], np.float32)
    boxed = Boxed(np.array([0, 0, 1, 1, 2]), np.arange(5), boxes(LEFT, RIGHT, LEFT, RIGHT, LEFT), fits, shares)
    found = compose(3, boxed, 1, [thing("purple fox")], [])
    assert found.missed[:, 0] == pytest.approx([0.9, 0.03, 0])
