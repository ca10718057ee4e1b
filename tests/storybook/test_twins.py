"""Twins: of two texts of the same words, one is true of the scene, and the changed picture turns it round."""

from __future__ import annotations

import numpy as np

from storybook.drawing import render
from storybook.scenes import generate_scene
from storybook.twins import TWIN_KINDS, draw_rival, twins

SEEDS = range(2000, 2120)
TWINS = twins(SEEDS)


def test_both_kinds_are_found_and_at_most_one_of_each_for_a_scene() -> None:
    assert {twin.kind for twin in TWINS} == set(TWIN_KINDS)
    keys = [(twin.kind, twin.seed) for twin in TWINS]
    assert len(set(keys)) == len(keys)


def test_the_false_text_has_the_words_of_the_true_one_or_its_opposite() -> None:
    for twin in TWINS:
        assert twin.true != twin.false
        if twin.kind == "colours":
            plain = [sorted(text.replace("an ", "a ").split()) for text in (twin.true, twin.false)]
            assert plain[0] == plain[1]


def test_rivals_are_other_scenes_of_the_set() -> None:
    assert any(twin.rivals for twin in TWINS)
    for twin in TWINS:
        assert twin.rivals <= set(SEEDS) - {twin.seed}


def test_swapped_colours_are_drawn_as_the_same_things_in_other_colours() -> None:
    twin = next(twin for twin in TWINS if twin.kind == "colours" and twin.changed is not None)
    scene = generate_scene(twin.seed, "test")
    assert twin.changed is not None
    assert [thing.box for thing in twin.changed.things] == [thing.box for thing in scene.things]
    picture = draw_rival(twin, 48)
    assert picture is not None
    assert (np.asarray(picture) != np.asarray(render(scene, 48).image)).any()


def test_left_and_right_are_exchanged_by_the_mirror_image() -> None:
    twin = next(twin for twin in TWINS if twin.kind == "relations" and twin.changed is not None)
    picture = draw_rival(twin, 48)
    assert picture is not None
    drawn = np.asarray(render(generate_scene(twin.seed, "test"), 48).image)
    assert (np.asarray(picture) == drawn[:, ::-1]).all()


def test_what_cannot_be_drawn_has_no_picture() -> None:
    twin = next(twin for twin in TWINS if twin.changed is None)
    assert draw_rival(twin, 48) is None
