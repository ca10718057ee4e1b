"""Clutter: grass, pebbles, snow and leaves in front of the things, which hide a little of their feet."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from storybook.drawing.palette import Rgb
from storybook.world import Scene

_TUFTS: dict[str, tuple[Rgb, ...]] = {
    "forest": ((96, 132, 70), (120, 150, 84), (150, 110, 70)),
    "meadow": ((120, 174, 84), (142, 190, 92), (104, 158, 76)),
    "mountains": ((128, 158, 104), (146, 170, 112)),
    "night": ((60, 84, 92), (72, 96, 100)),
    "beach": ((196, 186, 120), (176, 170, 108)),
    "harbour": ((150, 160, 120),),
    "street": ((140, 160, 112),),
}
_STONES: dict[str, tuple[Rgb, ...]] = {
    "beach": ((206, 190, 168), (186, 176, 170)),
    "desert": ((188, 148, 108), (170, 132, 98)),
    "mountains": ((166, 164, 162), (148, 148, 150)),
    "snow": ((248, 250, 252), (228, 236, 244)),
    "street": ((170, 166, 160),),
    "harbour": ((164, 154, 142),),
    "forest": ((140, 130, 110),),
}


def paint_clutter(canvas: NDArray[np.uint8], owners: NDArray[np.uint8], scene: Scene, number: int) -> None:
    """Draw a few tufts and stones low on a `(grid, grid, 3)` canvas and mark their cells in `owners`."""
    rng = random.Random(f"clutter:{scene.split}:{scene.seed}")
    grid = len(canvas)
    pieces = rng.randrange(0, 7)
    for _ in range(pieces):
        x = rng.random()
        y = scene.horizon + (1.02 - scene.horizon) * rng.uniform(0.2, 1.0) ** 0.6
        kinds = [table for table in (_TUFTS, _STONES) if scene.background in table]
        if not kinds:
            return
        table = rng.choice(kinds)
        scale = rng.uniform(0.025, 0.05) * (0.6 + 0.6 * y)
        shades = table[scene.background]
        _paint_piece(canvas, owners, number, (x * grid, y * grid, scale * grid), shades, table is _TUFTS, rng)


def _paint_piece(
    canvas: NDArray[np.uint8],
    owners: NDArray[np.uint8],
    number: int,
    where: tuple[float, float, float],
    shades: tuple[Rgb, ...],
    tuft: bool,
    rng: random.Random,
) -> None:
    x, y, scale = where
    grid = len(canvas)
    side = int(scale * 2.4) + 4
    patch = Image.new("L", (side, side))
    pen = ImageDraw.Draw(patch)
    middle, floor = side / 2, side - 2
    if tuft:
        for blade in range(6):
            lean = (blade - 2.5) * 0.3 + rng.uniform(-0.15, 0.15)
            tall = scale * rng.uniform(0.7, 1.3)
            base = middle + (blade - 2.5) * scale * 0.14
            tip = (base + lean * tall * 0.6, floor - tall)
            pen.polygon([base - scale * 0.09, floor, *tip, base + scale * 0.09, floor], fill=1 + blade % len(shades))
    else:
        wide, tall = scale * rng.uniform(0.5, 0.9), scale * rng.uniform(0.35, 0.55)
        pen.pieslice((middle - wide, floor - tall, middle + wide, floor + tall), 180, 360, fill=1)
        pen.pieslice(
            (middle - wide * 0.2, floor - tall * 0.6, middle + wide * 1.1, floor + tall * 0.6),
            180,
            360,
            fill=len(shades),
        )
    left, top = round(x - middle), round(y - floor)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(grid, left + side), min(grid, top + side)
    if x0 >= x1 or y0 >= y1:
        return
    piece = np.asarray(patch)[y0 - top : y1 - top, x0 - left : x1 - left]
    mask = piece > 0
    canvas[y0:y1, x0:x1][mask] = np.array([(0, 0, 0), *shades], dtype=np.uint8)[piece[mask]]
    owners[y0:y1, x0:x1][mask] = number
