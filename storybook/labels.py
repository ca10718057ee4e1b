"""What every patch of a picture shows, as numbers: the dense labels that the world gives for nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storybook.world import BACKGROUNDS, COLOURS, PATTERNS, SIZES, STYLES, THINGS, Scene, Thing

KIND_INDEX = {name: index for index, name in enumerate(THINGS)}
COLOUR_INDEX = {name: index for index, name in enumerate(COLOURS)}
PATTERN_INDEX = {name: index for index, name in enumerate(PATTERNS)}
SIZE_INDEX = {name: index for index, name in enumerate(SIZES)}
BACKGROUND_INDEX = {name: index for index, name in enumerate(BACKGROUNDS)}
STYLE_INDEX = {name: index for index, name in enumerate(STYLES)}
NOTHING = len(KIND_INDEX)
IGNORED = -100  # what torch's cross entropy leaves out


@dataclass(frozen=True, slots=True)
class DenseLabels:
    """Labels of `n` pictures of `p` patches each, row-major.

    Attributes:
        kind: `(n, p)` int64, index into `KIND_INDEX`, or `NOTHING` where things fill less than a quarter of it.
        colour: `(n, p)` int64, index into `COLOUR_INDEX`, or `IGNORED`.
        pattern: `(n, p)` int64, index into `PATTERN_INDEX`, or `IGNORED`.
        size: `(n, p)` int64, index into `SIZE_INDEX`, or `IGNORED`.
        box: `(n, p, 4)` float32, the thing's visible box relative to the patch's middle, `xyxy`, sides of the picture.
        background: `(n,)` int64.
        style: `(n,)` int64.
    """

    kind: NDArray[np.int64]
    colour: NDArray[np.int64]
    pattern: NDArray[np.int64]
    size: NDArray[np.int64]
    box: NDArray[np.float32]
    background: NDArray[np.int64]
    style: NDArray[np.int64]


def dense_labels(scenes: Sequence[Scene], owners: NDArray[np.uint8], *, side: int) -> DenseLabels:
    """Label the patches of some scenes.

    Args:
        scenes: `n` scenes.
        owners: `(n, cells, cells)` uint8, which thing each cell shows: index + 1; every other value is no thing.
        side: patches per side of the picture; divides `cells`.
    """
    owner = patch_owners(owners, max(len(scene.things) for scene in scenes), side)
    table = np.full((len(scenes), int(owner.max()) + 1, 4), IGNORED, np.int64)
    table[:, 0, 0] = NOTHING
    boxes = np.zeros((len(scenes), table.shape[1], 4), np.float32)
    for row, scene in enumerate(scenes):
        for number, thing in enumerate(scene.things[: table.shape[1] - 1], start=1):
            table[row, number] = _codes(thing)
            boxes[row, number] = thing.box.as_xyxy()
    rows = np.arange(len(scenes))[:, None]
    middles = (np.arange(side, dtype=np.float32) + 0.5) / side
    across, down = np.meshgrid(middles, middles)
    centre = np.stack([across, down, across, down], axis=-1).reshape(-1, 4)
    return DenseLabels(
        kind=table[rows, owner, 0],
        colour=table[rows, owner, 1],
        pattern=table[rows, owner, 2],
        size=table[rows, owner, 3],
        box=(boxes[rows, owner] - centre).astype(np.float32),
        background=np.array([BACKGROUND_INDEX[scene.background] for scene in scenes], np.int64),
        style=np.array([STYLE_INDEX[scene.style] for scene in scenes], np.int64),
    )


def patch_owners(owners: NDArray[np.uint8], things: int, side: int) -> NDArray[np.int64]:
    """The thing that most cells of a patch show, index + 1, `(n, side²)`; 0 where things fill less than a quarter."""
    count, cells = owners.shape[:2]
    within = cells // side
    blocks = owners.reshape(count, side, within, side, within).transpose(0, 1, 3, 2, 4).reshape(count, side * side, -1)
    shares = np.stack([(blocks == number).mean(axis=2) for number in range(1, things + 1)], axis=2)
    filled = (shares.sum(axis=2) >= 0.25) & (shares.max(axis=2) > 0.1)
    return np.where(filled, shares.argmax(axis=2) + 1, 0)


def _codes(thing: Thing) -> tuple[int, int, int, int]:
    return (
        KIND_INDEX[thing.kind],
        COLOUR_INDEX[thing.colour],
        PATTERN_INDEX[thing.pattern],
        SIZE_INDEX[thing.size],
    )
