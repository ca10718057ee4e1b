"""Visibility: which cells of a coarse grid each thing of a planned scene would show, and who hides whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from storybook.drawing.raster import stamp
from storybook.drawing.render import draw_order, measure
from storybook.world import Thing

GRID = 128


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a plan of a scene shows.

    Attributes:
        things: the things with boxes and visible fractions measured on silhouettes.
        covered: (front, back) → share of the back thing's cells that the front thing hides, in [0, 1].
    """

    things: tuple[Thing, ...]
    covered: dict[tuple[int, int], float]


def look(things: tuple[Thing, ...]) -> Visibility:
    """Measure a plan without clutter and style on a `GRID × GRID` raster."""
    owners = np.zeros((GRID, GRID), dtype=np.uint8)
    full = [0] * len(things)
    hidden: dict[tuple[int, int], int] = {}
    for index, part in draw_order(things):
        thing = things[index]
        patch = stamp(thing.kind, thing.placement, part, GRID)
        height, width = patch.paints.shape
        full[index] += int(np.count_nonzero(patch.paints))
        y0, x0 = max(0, patch.top), max(0, patch.left)
        y1, x1 = min(GRID, patch.top + height), min(GRID, patch.left + width)
        if y0 >= y1 or x0 >= x1:
            continue
        mask = patch.paints[y0 - patch.top : y1 - patch.top, x0 - patch.left : x1 - patch.left] > 0
        region = owners[y0:y1, x0:x1]
        behind = np.bincount(region[mask], minlength=len(things) + 1)
        for other in np.flatnonzero(behind[1:]):
            if other != index:
                key = (index, int(other))
                hidden[key] = hidden.get(key, 0) + int(behind[other + 1])
        region[mask] = index + 1
    seen = tuple(measure(thing, owners == index + 1, full[index]) for index, thing in enumerate(things))
    return Visibility(seen, {pair: count / max(1, full[pair[1]]) for pair, count in hidden.items()})
