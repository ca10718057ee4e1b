"""Drawing: boxes are tight to the pixels, every kind shows in every colour and style, sizes agree."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from storybook.drawing import render
from storybook.drawing.palette import thing_palette
from storybook.drawing.raster import PART_ALL, stamp
from storybook.drawing.render import CLUTTER
from storybook.scenes import generate_scene
from storybook.world import BACKGROUNDS, COLOURS, STYLES, THINGS, Placement, Scene, Thing
from vision.types import Box

WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def lone(kind: str, colour: str = "red", style: str = "flat", *, pose: int = 1, height: float = 0.4) -> Scene:
    height = min(height, 0.7 / THINGS[kind].aspect)
    thing = Thing(kind, colour, "medium", "plain", WHOLE, WHOLE, 1.0, 1, Placement(0.5, 0.7, height, False, 0.0, pose))
    return Scene(1, "train", "desert", style, 0.5, (thing,), ())


@pytest.mark.parametrize("seed", range(40))
def test_boxes_are_tight_to_the_visible_cells(seed: int) -> None:
    rendered = render(generate_scene(seed, "test"), 128)
    grid = len(rendered.owners)
    for index, thing in enumerate(rendered.things):
        rows, columns = np.nonzero(rendered.owners == index + 1)
        assert thing.box.as_xyxy() == (
            columns.min() / grid,
            rows.min() / grid,
            (columns.max() + 1) / grid,
            (rows.max() + 1) / grid,
        )


@pytest.mark.parametrize("kind", [kind.name for kind in THINGS.values() if kind.place == "air"])
def test_boxes_are_where_the_picture_changes_when_the_thing_appears(kind: str) -> None:
    scene = lone(kind)
    changed = np.asarray(render(scene, 256).image) != np.asarray(render(replace(scene, things=()), 256).image)
    rows, columns = np.nonzero(changed.any(axis=2))
    box = render(scene, 256).things[0].box
    measured = (columns.min() / 256, rows.min() / 256, (columns.max() + 1) / 256, (rows.max() + 1) / 256)
    assert box.as_xyxy() == pytest.approx(measured, abs=1.01 / 256)


@pytest.mark.parametrize("kind", THINGS)
def test_every_kind_draws_itself_in_every_colour_and_style(kind: str) -> None:
    for style in STYLES:
        pictures = set()
        for colour in COLOURS:
            rendered = render(lone(kind, colour, style), 48)
            assert rendered.things[0].visible_fraction > 0.6
            assert np.count_nonzero(rendered.owners == 1) > 60
            pictures.add(rendered.image.tobytes())
        assert len(pictures) == len(COLOURS)


@pytest.mark.parametrize("kind", THINGS)
def test_the_named_colour_covers_more_of_a_thing_than_any_other_paint(kind: str) -> None:
    for pose in range(6):
        placement = Placement(0.5, 0.95, 0.5, False, 0.0, pose)
        numbers = _Counting()
        patch = stamp(kind, placement, PART_ALL, 200, numbers=numbers)
        counts = np.bincount(patch.paints.ravel(), minlength=256)
        own = sum(int(counts[numbers[name]]) for name in ("main", "dark", "light"))
        others = [int(counts[number]) for name, number in numbers.items() if name not in ("main", "dark", "light")]
        assert own > max(others, default=0), f"{kind} in pose {pose}"


class _Counting(dict[str, int]):
    def __missing__(self, name: str) -> int:
        self[name] = len(self) + 1
        return self[name]


def test_a_thing_in_its_colour_looks_nearer_to_that_colour_than_to_any_other() -> None:
    centres = np.array(list(COLOURS.values()), dtype=float)
    for position, colour in enumerate(COLOURS):
        for pose in range(30):
            main = np.array(thing_palette(colour, pose)["main"], dtype=float)
            assert int(np.argmin(((centres - main) ** 2).sum(axis=1))) == position


@pytest.mark.parametrize("seed", range(25))
def test_boxes_hardly_depend_on_the_size_of_the_picture(seed: int) -> None:
    scene = generate_scene(seed, "train")
    small, large = render(scene, 128), render(scene, 320)
    for first, second in zip(small.things, large.things, strict=True):
        assert first.box.as_xyxy() == pytest.approx(second.box.as_xyxy(), abs=2.5 / 128)


@pytest.mark.parametrize("size_px", [64, 100, 224, 512])
@pytest.mark.parametrize("style", STYLES)
def test_pictures_are_rgb_of_the_size_asked_for(style: str, size_px: int) -> None:
    image = render(lone("cat", style=style), size_px).image
    assert (image.mode, image.size) == ("RGB", (size_px, size_px))


def test_every_background_looks_different() -> None:
    pictures = {render(replace(lone("cat"), background=background), 48).image.tobytes() for background in BACKGROUNDS}
    assert len(pictures) == len(BACKGROUNDS)


def test_poses_and_mirroring_change_the_drawing() -> None:
    scene = lone("dog")
    thing = scene.things[0]
    poses = {render(lone("dog", pose=pose), 64).image.tobytes() for pose in range(8)}
    mirrored = replace(scene, things=(replace(thing, placement=replace(thing.placement, mirrored=True)),))
    assert len(poses) == 8
    assert render(mirrored, 64).image.tobytes() != render(scene, 64).image.tobytes()


def test_things_inside_a_container_stand_behind_its_front() -> None:
    seen = 0
    for seed in range(60):
        scene = generate_scene(seed, "train")
        for relation in scene.relations:
            if relation.name == "inside":
                rendered = render(scene, 128)
                assert rendered.things[relation.subject].visible_fraction < 1.0
                assert rendered.things[relation.object].visible_fraction > 0.3
                seen += 1
    assert seen > 3


def test_clutter_owns_cells_in_front_of_things() -> None:
    assert any((render(generate_scene(seed, "train"), 64).owners == CLUTTER).any() for seed in range(10))


def test_a_thing_outside_the_picture_has_no_visible_part() -> None:
    scene = lone("cat")
    thing = replace(scene.things[0], placement=replace(scene.things[0].placement, x=3.0))
    assert render(replace(scene, things=(thing,)), 64).things[0].visible_fraction == 0.0
