"""Scenes drawn once and kept on disk, so that a training reads pictures instead of drawing them again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storybook.drawing.render import render
from storybook.scenes import generate_scene
from storybook.splits import is_held_out
from storybook.world import Placement, Relation, RelationName, Scene, Split, Thing
from vision.errors import DeixisError
from vision.types import Box

SHARD_SCENES = 1000
OWNER_CELLS = 32
_SHIFT_CELLS = 3
# Galleries are drawn at several sizes, then squashed to the tower's; lines and grain differ a little between them.
_DRAWN_PX = (256, 512)
_MIRRORED: dict[RelationName, RelationName] = {"left of": "right of", "right of": "left of"}


class SceneStoreError(DeixisError):
    """A folder of drawn scenes is missing, damaged or of another size."""


@dataclass(frozen=True, slots=True)
class SceneStore:
    """Drawn scenes in the order of their seeds.

    Attributes:
        scenes: the scenes, with boxes.
        shards: `(n_i, px, px, 3)` uint8 RGB pictures, memory-mapped; shard i holds the next n_i scenes.
        owners: `(n, 32, 32)` uint8, which thing each cell of a picture shows: index + 1; other values are no thing.
    """

    scenes: Sequence[Scene]
    shards: Sequence[NDArray[np.uint8]]
    owners: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.scenes)

    def pictures(self, indices: Iterable[int]) -> NDArray[np.uint8]:
        """The pictures of some scenes, `(n, px, px, 3)` uint8 RGB, in the order asked for."""
        return np.stack([self.shards[index // SHARD_SCENES][index % SHARD_SCENES] for index in indices])


@dataclass(frozen=True, slots=True)
class StorePlan:
    """What a store holds.

    Attributes:
        split: which split's scenes.
        count: scenes; a multiple of 1,000, or fewer than 1,000.
        size_px: side of the pictures in pixels.
        first_seed: seed of the first scene; the others follow.
        single: one thing per scene.
    """

    split: Split
    count: int
    size_px: int
    first_seed: int = 0
    single: bool = False

    @property
    def name(self) -> str:
        """The store's folder name."""
        return f"{self.split}{'-single' if self.single else ''}-{self.size_px}px-{self.first_seed}"


def build_store(
    root: Path, plan: StorePlan, *, workers: int = 1, report: Callable[[str], None] | None = None
) -> SceneStore:
    """Draw what is missing of a store, and open it.

    Args:
        root: folder of all stores.
        plan: what to draw.
        workers: processes that draw.
        report: receives one line per finished shard.

    Raises:
        SceneStoreError: a shard on disk is damaged.
    """
    folder = root / plan.name
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for start in range(0, plan.count, SHARD_SCENES):
        count = min(SHARD_SCENES, plan.count - start)
        if not _shard(folder, start, count).exists():
            jobs.append((folder, plan, start, count))
    if jobs and workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for path in pool.map(_draw_shard, jobs):
                if report:
                    report(f"drew {path.name} of {plan.name}")
    else:
        for job in jobs:
            path = _draw_shard(job)
            if report:
                report(f"drew {path.name} of {plan.name}")
    return open_store(root, plan)


def open_store(root: Path, plan: StorePlan) -> SceneStore:
    """Open a store that `build_store` has drawn.

    Raises:
        SceneStoreError: a shard is missing or damaged.
    """
    scenes: list[Scene] = []
    shards: list[NDArray[np.uint8]] = []
    owners: list[NDArray[np.uint8]] = []
    for start in range(0, plan.count, SHARD_SCENES):
        count = min(SHARD_SCENES, plan.count - start)
        folder = _shard(root / plan.name, start, count)
        try:
            pictures = np.load(folder / "pictures.npy", mmap_mode="r")
            owners.append(np.load(folder / "owners.npy"))
            lines = (folder / "scenes.jsonl").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError, EOFError) as error:  # numpy raises the last for an empty file
            raise SceneStoreError(
                f"{folder}: cannot be read: {error}", remedy="Remove this folder; it is drawn again."
            ) from error
        if pictures.shape != (count, plan.size_px, plan.size_px, 3) or len(lines) != count:
            raise SceneStoreError(
                f"{folder}: expected {count} scenes at {plan.size_px} px, got {len(lines)} and {pictures.shape}",
                remedy="Remove this folder; it is drawn again.",
            )
        scenes += [scene_from_json(json.loads(line)) for line in lines]
        shards.append(pictures)
    return SceneStore(scenes, shards, np.concatenate(owners))


def join_stores(first: SceneStore, second: SceneStore) -> SceneStore:
    """One store after the other.

    Raises:
        SceneStoreError: the first one's last shard is not full, so scenes could not be counted through.
    """
    if len(first) % SHARD_SCENES:
        raise SceneStoreError(
            f"the first of two stores must hold a multiple of {SHARD_SCENES} scenes, not {len(first)}"
        )
    owners = np.concatenate([first.owners, second.owners])
    return SceneStore([*first.scenes, *second.scenes], [*first.shards, *second.shards], owners)


def _shard(folder: Path, start: int, count: int) -> Path:
    return folder / f"{start:07d}-{count}"


def _draw_shard(job: tuple[Path, StorePlan, int, int]) -> Path:
    folder, plan, start, count = job
    final = _shard(folder, start, count)
    unfinished = final.with_name(f".{final.name}.{os.getpid()}")
    unfinished.mkdir(exist_ok=True)
    pictures = np.empty((count, plan.size_px, plan.size_px, 3), np.uint8)
    owners = np.empty((count, OWNER_CELLS, OWNER_CELLS), np.uint8)
    with (unfinished / "scenes.jsonl").open("w", encoding="utf-8") as file:
        for position in range(count):
            scene = generate_scene(plan.first_seed + start + position, plan.split, plan.single)
            drawn = render(scene, _DRAWN_PX[position % len(_DRAWN_PX)])
            pictures[position] = squash(np.asarray(drawn.image), plan.size_px)
            owners[position] = coarse_owners(drawn.owners)
            file.write(json.dumps(asdict(replace(scene, things=drawn.things))) + "\n")
    np.save(unfinished / "pictures.npy", pictures)
    np.save(unfinished / "owners.npy", owners)
    unfinished.rename(final)
    return final


def squash(picture: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Resize to a square as the shipped preprocessing does: bicubic, antialiased, in uint8."""
    resized = Image.fromarray(picture).resize((size_px, size_px), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.uint8)


def coarse_owners(owners: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The owner at the middle of each of 32×32 cells of a `(grid, grid)` map."""
    middles = ((np.arange(OWNER_CELLS) + 0.5) * len(owners) / OWNER_CELLS).astype(int)
    coarse: NDArray[np.uint8] = owners[np.ix_(middles, middles)]
    return coarse


def scene_from_json(raw: dict[str, Any]) -> Scene:
    """Read back what `dataclasses.asdict` made of a scene."""
    things = tuple(
        Thing(
            **{
                **thing,
                "box": Box(**thing["box"]),
                "box_full": Box(**thing["box_full"]),
                "placement": Placement(**thing["placement"]),
            }
        )
        for thing in raw["things"]
    )
    relations = tuple(Relation(**relation) for relation in raw["relations"])
    return Scene(**{**raw, "things": things, "relations": relations})


def mirror_scene(scene: Scene) -> Scene:
    """The scene as its mirrored picture shows it: boxes and the relations of left and right change sides."""
    things = tuple(
        replace(thing, box=_mirror_box(thing.box), box_full=_mirror_box(thing.box_full)) for thing in scene.things
    )
    relations = tuple(
        replace(relation, name=_MIRRORED.get(relation.name, relation.name)) for relation in scene.relations
    )
    return replace(scene, things=things, relations=relations)


def free_shift(scene: Scene, rng: np.random.Generator) -> tuple[int, int]:
    """A random shift to the right and down, in cells of the owner grid, that cuts no more off any thing."""
    boxes = np.array([thing.box.as_xyxy() for thing in scene.things]) * OWNER_CELLS
    before, behind = boxes[:, :2].min(axis=0), OWNER_CELLS - boxes[:, 2:].max(axis=0)
    # What touches an edge may not leave it either: the repeated edge would smear it.
    least = np.where(behind < 1, 0, np.maximum(-_SHIFT_CELLS, np.ceil(-before))).astype(int)
    most = np.where(before < 1, 0, np.minimum(_SHIFT_CELLS, np.floor(behind))).astype(int)
    across, down = (int(rng.integers(low, high + 1)) for low, high in zip(least, most, strict=True))
    return across, down


def shift_scene(scene: Scene, across: int, down: int) -> Scene:
    """The scene with its visible boxes moved by so many cells of the owner grid."""
    moved = (across / OWNER_CELLS, down / OWNER_CELLS)
    return replace(scene, things=tuple(replace(thing, box=_move_box(thing.box, *moved)) for thing in scene.things))


def _move_box(box: Box, across: float, down: float) -> Box:
    corners = (box.x0 + across, box.y0 + down, box.x1 + across, box.y1 + down)
    return Box(*(min(1.0, max(0.0, value)) for value in corners))


def _shifted(cells: NDArray[np.uint8], across: int, down: int) -> NDArray[np.uint8]:
    """Rows and columns moved; what comes in repeats the edge."""
    rows = np.clip(np.arange(cells.shape[0]) - down, 0, cells.shape[0] - 1)
    columns = np.clip(np.arange(cells.shape[1]) - across, 0, cells.shape[1] - 1)
    moved: NDArray[np.uint8] = cells[rows][:, columns]
    return moved


def _mirror_box(box: Box) -> Box:
    return Box(1.0 - box.x1, box.y0, 1.0 - box.x0, box.y1)


@dataclass(frozen=True, slots=True)
class DrawnBatch:
    """Some scenes with their pictures.

    Attributes:
        scenes: `n` scenes.
        pictures: `(n, px, px, 3)` uint8 RGB.
        owners: `(n, 32, 32)` uint8, as in `SceneStore`.
    """

    scenes: list[Scene]
    pictures: NDArray[np.uint8]
    owners: NDArray[np.uint8]


def draw_batch(store: SceneStore, count: int, rng: np.random.Generator) -> DrawnBatch:
    """Choose scenes, mirror half of them, and shift each a little, so that things meet the patches' edges elsewhere.

    A mirrored scene that shows what the split holds out (an animal left of a house, say) stays as it is.
    """
    indices = rng.choice(len(store), size=count, replace=False).tolist()
    pictures = store.pictures(indices)
    owners = store.owners[indices]
    scenes = [store.scenes[index] for index in indices]
    for position in np.flatnonzero(rng.random(count) < 0.5).tolist():
        mirrored = mirror_scene(scenes[position])
        if not is_held_out(mirrored):
            pictures[position] = pictures[position, :, ::-1].copy()
            owners[position] = owners[position, :, ::-1].copy()
            scenes[position] = mirrored
    for position, scene in enumerate(scenes):
        across, down = free_shift(scene, rng)
        if across or down:
            scenes[position] = shift_scene(scene, across, down)
            pixels = pictures.shape[1] // OWNER_CELLS
            pictures[position] = _shifted(pictures[position], across * pixels, down * pixels)
            owners[position] = _shifted(owners[position], across, down)
    return DrawnBatch(scenes, pictures, owners)
