"""Scenes: deterministic, varied, and true to their own geometry."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from storybook.drawing import render
from storybook.language import captions
from storybook.scenes import generate_scene
from storybook.world import BACKGROUNDS, COLOURS, PATTERNS, RELATIONS, SIZES, STYLES, THINGS, Scene

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def many() -> list[Scene]:
    return [generate_scene(seed, "train") for seed in range(400)]


def fingerprint(seed: int) -> str:
    scene = generate_scene(seed, "test")
    rendered = render(scene, 96)
    digest = hashlib.sha256(rendered.image.tobytes())
    digest.update(repr(rendered.things).encode())
    digest.update(repr(captions(scene, rendered, "uk", 3)).encode())
    return digest.hexdigest()


def test_equal_seeds_give_equal_scenes_and_other_seeds_and_splits_give_others() -> None:
    assert generate_scene(5, "train") == generate_scene(5, "train")
    assert generate_scene(5, "train") != generate_scene(6, "train")
    assert generate_scene(5, "train").things != generate_scene(5, "validation").things


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_with_another_hash_seed_draws_and_says_the_same_bytes(hash_seed: str) -> None:
    program = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('scenes_again', {str(Path(__file__))!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print(module.fingerprint(11), module.fingerprint(12))\n"
    )
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ)
    assert run.stdout.split() == [fingerprint(11), fingerprint(12)]


def test_scenes_use_everything_the_world_has(many: list[Scene]) -> None:
    things = [thing for scene in many for thing in scene.things]
    assert {thing.kind for thing in things} == set(THINGS)
    assert {thing.colour for thing in things} == set(COLOURS)
    assert {thing.size for thing in things} == set(SIZES)
    assert {thing.pattern for thing in things} == set(PATTERNS)
    assert {scene.background for scene in many} == set(BACKGROUNDS)
    assert {scene.style for scene in many} == set(STYLES)
    assert {relation.name for scene in many for relation in scene.relations} == set(RELATIONS)
    assert {len(scene.things) for scene in many} == {1, 2, 3, 4, 5}


def test_some_scenes_show_several_of_a_kind_and_some_hide_a_part(many: list[Scene]) -> None:
    assert sum(max(Counter(thing.kind for thing in scene.things).values()) > 1 for scene in many) > 80
    assert sum(any(thing.visible_fraction < 0.8 for thing in scene.things) for scene in many) > 60


def test_every_thing_can_be_seen(many: list[Scene]) -> None:
    for scene in many:
        for thing in scene.things:
            assert thing.visible_fraction >= 0.42
            assert min(thing.box.x1 - thing.box.x0, thing.box.y1 - thing.box.y0) >= 0.045


def test_things_wear_only_patterns_of_their_kind_and_sky_things_stay_outdoors(many: list[Scene]) -> None:
    for scene in many:
        for thing in scene.things:
            assert thing.pattern in THINGS[thing.kind].patterns
            assert not (scene.background == "room" and THINGS[thing.kind].place == "sky")


def test_the_visible_part_lies_within_the_whole(many: list[Scene]) -> None:
    for scene in many:
        for thing in scene.things:
            assert thing.box.x0 >= thing.box_full.x0
            assert thing.box.y0 >= thing.box_full.y0
            assert thing.box.x1 <= thing.box_full.x1
            assert thing.box.y1 <= thing.box_full.y1


def test_relations_are_true_of_the_boxes(many: list[Scene]) -> None:
    for scene in many:
        for relation in scene.relations:
            first, second = scene.things[relation.subject], scene.things[relation.object]
            a, b = first.box, second.box
            across, down = b.x0 + b.x1 - a.x0 - a.x1, b.y0 + b.y1 - a.y0 - a.y1
            if relation.name == "left of":
                assert across > abs(down)
            elif relation.name == "right of":
                assert -across > abs(down)
            elif relation.name == "above":
                assert down > abs(across)
            elif relation.name == "below":
                assert -down > abs(across)
            elif relation.name == "next to":
                assert max(a.x0, b.x0) - min(a.x1, b.x1) <= 0.09
                assert min(a.y1, b.y1) > max(a.y0, b.y0)
            elif relation.name == "in front of":
                assert first.depth > second.depth
                assert min(a.x1, b.x1) > max(a.x0, b.x0)
                assert min(a.y1, b.y1) > max(a.y0, b.y0)
            else:
                assert b.x0 <= (a.x0 + a.x1) / 2 <= b.x1
                assert THINGS[second.kind].room


def test_relations_come_in_both_directions(many: list[Scene]) -> None:
    for scene in many:
        known = {(r.subject, r.name, r.object) for r in scene.relations}
        for subject, name, other in known:
            if name == "left of":
                assert (other, "right of", subject) in known
            if name == "above":
                assert (other, "below", subject) in known
            if name == "next to":
                assert (other, "next to", subject) in known


def test_single_scenes_show_one_thing_of_many_kinds() -> None:
    scenes = [generate_scene(seed, "test", single=True) for seed in range(200)]
    assert all(len(scene.things) == 1 and scene.single for scene in scenes)
    assert len({scene.things[0].kind for scene in scenes}) > 40
