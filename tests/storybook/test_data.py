"""Stored scenes: what is read back equals what was drawn, mirrored scenes stay true, damage is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from storybook.data import (
    SceneStore,
    SceneStoreError,
    StorePlan,
    build_store,
    draw_batch,
    free_shift,
    join_stores,
    mirror_scene,
    open_store,
    scene_from_json,
    shift_scene,
)
from storybook.drawing import render
from storybook.labels import IGNORED, KIND_INDEX, NOTHING, dense_labels
from storybook.scenes import generate_scene
from storybook.splits import is_held_out


def test_a_scene_survives_json() -> None:
    for seed in range(30):
        scene = generate_scene(seed, "test")
        assert scene_from_json(json.loads(json.dumps(asdict(scene)))) == scene


def test_a_store_opens_without_drawing_again(tiny_store: SceneStore, scene_cache: Path) -> None:
    again = open_store(scene_cache, StorePlan("train", 24, 32))
    assert list(again.scenes) == list(tiny_store.scenes)
    assert np.array_equal(again.pictures(range(24)), tiny_store.pictures(range(24)))
    assert tiny_store.pictures([3, 1]).shape == (2, 32, 32, 3)


def test_stored_boxes_are_those_measured_on_the_pixels(tiny_store: SceneStore) -> None:
    drawn = render(generate_scene(0, "train"), 256)
    assert tiny_store.scenes[0].things == drawn.things


@pytest.mark.parametrize("damage", ["pictures.npy", "owners.npy", "scenes.jsonl"])
def test_a_damaged_shard_is_named(scene_cache: Path, tiny_store: SceneStore, tmp_path: Path, damage: str) -> None:
    plan = StorePlan("train", 24, 32)
    shutil.copytree(scene_cache / plan.name, tmp_path / plan.name)
    next((tmp_path / plan.name).glob(f"*/{damage}")).write_bytes(b"")
    with pytest.raises(SceneStoreError, match=plan.name):
        open_store(tmp_path, plan)


def test_a_missing_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(SceneStoreError, match="cannot be read"):
        open_store(tmp_path, StorePlan("train", 24, 32))


def test_a_store_with_a_part_shard_cannot_be_followed_by_another(tiny_store: SceneStore) -> None:
    with pytest.raises(SceneStoreError, match="multiple of 1000"):
        join_stores(tiny_store, tiny_store)


def test_two_processes_draw_what_one_draws(tmp_path: Path, tiny_store: SceneStore) -> None:
    plan = StorePlan("train", 24, 32)
    again = build_store(tmp_path, plan, workers=2)
    assert np.array_equal(again.pictures(range(24)), tiny_store.pictures(range(24)))


def test_mirroring_twice_gives_the_scene_back() -> None:
    for seed in range(40):
        scene = generate_scene(seed, "train")
        twice = mirror_scene(mirror_scene(scene))
        assert twice.relations == scene.relations
        for thing, same in zip(scene.things, twice.things, strict=True):
            assert same.box.as_xyxy() == pytest.approx(thing.box.as_xyxy())


def test_no_mirrored_batch_shows_what_training_holds_out(tiny_store: SceneStore) -> None:
    for seed in range(10):
        assert not any(is_held_out(scene) for scene in draw_batch(tiny_store, 16, np.random.default_rng(seed)).scenes)


def test_a_shifted_batch_keeps_every_thing_whole_and_boxes_on_their_pixels(tiny_store: SceneStore) -> None:
    batch = draw_batch(tiny_store, 24, np.random.default_rng(3))
    for scene, owners in zip(batch.scenes, batch.owners, strict=True):
        for number, thing in enumerate(scene.things, start=1):
            rows, columns = np.nonzero(owners == number)
            if len(rows):
                x0, y0, x1, y1 = (value * 32 for value in thing.box.as_xyxy())
                assert x0 - 1 <= columns.min() <= columns.max() <= x1
                assert y0 - 1 <= rows.min() <= rows.max() <= y1


def test_a_shift_never_cuts_a_thing() -> None:
    rng = np.random.default_rng(0)
    for seed in range(100):
        scene = generate_scene(seed, "train")
        across, down = free_shift(scene, rng)
        for before, after in zip(scene.things, shift_scene(scene, across, down).things, strict=True):
            assert after.box.x1 - after.box.x0 == pytest.approx(before.box.x1 - before.box.x0)
            assert after.box.y1 - after.box.y0 == pytest.approx(before.box.y1 - before.box.y0)


def test_equal_seeds_draw_equal_batches(tiny_store: SceneStore) -> None:
    first, second = (draw_batch(tiny_store, 8, np.random.default_rng(5)) for _ in range(2))
    assert first.scenes == second.scenes
    assert np.array_equal(first.pictures, second.pictures)


def test_every_labelled_patch_lies_in_the_box_of_a_thing_of_its_kind(tiny_store: SceneStore) -> None:
    labels = dense_labels(tiny_store.scenes, tiny_store.owners, side=8)
    middles = (np.arange(8) + 0.5) / 8
    for row, scene in enumerate(tiny_store.scenes):
        kinds = {KIND_INDEX[thing.kind] for thing in scene.things}
        assert set(labels.kind[row]) <= kinds | {NOTHING}
        assert np.array_equal(labels.kind[row] == NOTHING, labels.colour[row] == IGNORED)
        for patch in np.flatnonzero(labels.kind[row] != NOTHING):
            x, y = middles[patch % 8], middles[patch // 8]
            box = labels.box[row, patch] + np.array([x, y, x, y])
            assert any(box == pytest.approx(thing.box.as_xyxy(), abs=1e-5) for thing in scene.things)


def test_most_things_own_a_patch(tiny_store: SceneStore) -> None:
    labels = dense_labels(tiny_store.scenes, tiny_store.owners, side=8)
    owned = [
        KIND_INDEX[thing.kind] in labels.kind[row]
        for row, scene in enumerate(tiny_store.scenes)
        for thing in scene.things
    ]
    assert np.mean(owned) > 0.9
