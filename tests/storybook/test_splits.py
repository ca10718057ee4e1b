"""The written split: what is held out never appears in training, and does appear in the test."""

from __future__ import annotations

from collections import Counter

import pytest

from storybook.scenes import generate_scene
from storybook.splits import (
    HELD_OUT_GROUPS,
    HELD_OUT_KINDS,
    HELD_OUT_PAIRS,
    SEEDS,
    held_out_relations,
    held_out_things,
    is_held_out,
    pair_is_held_out,
    relation_is_held_out,
)
from storybook.world import COLOURS, FITS_INSIDE, RELATIONS, SPLITS, THINGS


def test_no_held_out_pair_or_relation_is_drawn_in_two_thousand_training_scenes() -> None:
    for seed in range(2000):
        scene = generate_scene(seed, "train")
        assert not held_out_things(scene)
        assert not held_out_relations(scene.things, scene.relations)
        assert not is_held_out(scene)


@pytest.mark.parametrize("single", [False, True])
def test_validation_holds_out_what_training_holds_out(single: bool) -> None:
    assert not any(is_held_out(generate_scene(seed, "validation", single)) for seed in range(150))


def test_the_test_split_shows_held_out_pairs_and_relations() -> None:
    pairs: Counter[str] = Counter()
    relations = 0
    for seed in range(500):
        scene = generate_scene(seed, "test")
        pairs.update(scene.things[i].kind for i in held_out_things(scene))
        relations += bool(held_out_relations(scene.things, scene.relations))
    assert sum(pairs.values()) > 200
    assert len(pairs) > 40
    assert relations > 40


def test_every_kind_and_every_colour_takes_part_in_the_split() -> None:
    assert set(HELD_OUT_PAIRS) == set(THINGS)
    assert set(HELD_OUT_PAIRS.values()) == set(COLOURS)
    assert all(count in (3, 4) for count in Counter(HELD_OUT_PAIRS.values()).values())
    assert pair_is_held_out("dog", HELD_OUT_PAIRS["dog"])


def test_held_out_relations_name_known_groups_and_kinds() -> None:
    groups = {kind.group for kind in THINGS.values()}
    assert all({a, b} <= groups and name in RELATIONS for a, name, b in HELD_OUT_GROUPS)
    assert all(a in FITS_INSIDE and THINGS[b].room and name == "inside" for a, name, b in HELD_OUT_KINDS)


def test_a_held_out_relation_is_held_out_in_both_wordings() -> None:
    assert relation_is_held_out("dog", "left of", "house")
    assert relation_is_held_out("house", "right of", "dog")
    assert not relation_is_held_out("house", "left of", "dog")
    assert relation_is_held_out("cat", "inside", "basket")
    assert not relation_is_held_out("dog", "inside", "basket")


def test_every_split_has_its_seeds() -> None:
    assert set(SEEDS) == set(SPLITS)
    assert all(len(seeds) >= 1000 for seeds in SEEDS.values())
