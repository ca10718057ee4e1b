"""Rasters: turns a placed sketch into a small map of paint numbers, the one place where shapes become pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from storybook.drawing.sketch import Mark, Points
from storybook.drawing.sprites import sketch
from storybook.world import THINGS, Placement

PART_ALL, PART_BACK, PART_FRONT = "all", "back", "front"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A thing's paint numbers on its own patch of the grid.

    Attributes:
        paints: `(h, w)` uint8; 0 is empty, otherwise an index into the palette order.
        left: grid column of the patch's first column; may be negative.
        top: grid row of the patch's first row; may be negative.
        unit: grid cells per sketch unit.
    """

    paints: NDArray[np.uint8]
    left: int
    top: int
    unit: float


def to_grid(points: Points, kind: str, placement: Placement, grid: int) -> Points:
    """Return sketch points `(n, 2)` in grid coordinates."""
    unit = placement.height * grid / 100.0
    cos, sin = math.cos(placement.tilt) * unit, math.sin(placement.tilt) * unit
    flip = -1.0 if placement.mirrored else 1.0
    matrix = np.array([[flip * cos, flip * sin], [-sin, cos]])
    shifted = points - (THINGS[kind].aspect * 50.0, 100.0)
    return np.asarray(shifted @ matrix + (placement.x * grid, placement.foot * grid))


def marks_of(kind: str, placement: Placement, part: str) -> tuple[Mark, ...]:
    """Return the marks of one part of a thing: all of it, or what stands behind or before its contents."""
    marks = sketch(kind, placement.pose)
    if part == PART_ALL:
        return marks
    return tuple(mark for mark in marks if mark.front == (part == PART_FRONT))


def stamp(
    kind: str, placement: Placement, part: str, grid: int, *, numbers: dict[str, int] | None = None, line: float = 0.0
) -> Stamp:
    """Draw one part of a thing on a patch of a `grid × grid` canvas.

    Args:
        kind: a key of `THINGS`.
        placement: where it stands.
        part: one of the `PART_` names.
        grid: cells per side of the canvas.
        numbers: paint name to number; None paints everything 1 (a silhouette). Outlines use the number of `contour`.
        line: outline width in grid cells; 0 draws none.
    """
    marks = marks_of(kind, placement, part)
    unit = placement.height * grid / 100.0
    counts = [len(mark.points) for mark in marks]
    joined = to_grid(np.concatenate([mark.points for mark in marks]), kind, placement, grid)
    margin = 4.0 * unit + line + 2
    left, top = (math.floor(v) for v in joined.min(axis=0) - margin)
    right, bottom = (math.ceil(v) for v in joined.max(axis=0) + margin)
    joined -= (left, top)
    flat = joined.ravel().tolist()
    patch = Image.new("L", (right - left, bottom - top))
    pen = ImageDraw.Draw(patch)
    at = 0
    for mark, count in zip(marks, counts, strict=True):
        corners = flat[at : at + 2 * count]
        at += 2 * count
        number = 1 if numbers is None else numbers[str(mark.paint)]
        _draw(pen, corners, mark, number, unit)
        if line and mark.edged and not mark.width and numbers is not None:
            pen.line([*corners, *corners[:4]], fill=numbers["contour"], width=max(1, round(line)), joint="curve")
    return Stamp(np.asarray(patch), left, top, unit)


def _draw(pen: ImageDraw.ImageDraw, corners: list[float], mark: Mark, number: int, unit: float) -> None:
    if not mark.width:
        pen.polygon(corners, fill=number)
        return
    width = mark.width * unit
    pen.line(corners, fill=number, width=max(1, round(width)), joint="curve" if width > 3 else None)
    if width > 3:
        half = width / 2
        for x, y in (corners[:2], corners[-2:]):
            pen.ellipse((x - half, y - half, x + half, y + half), fill=number)
