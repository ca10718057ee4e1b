"""Rendering: a scene becomes an image, with the visible box of every thing measured on the pixels drawn."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from storybook.drawing.backdrop import paint_backdrop
from storybook.drawing.clutter import paint_clutter
from storybook.drawing.palette import Rgb, mix, thing_palette
from storybook.drawing.raster import PART_ALL, PART_BACK, PART_FRONT, Stamp, stamp
from storybook.drawing.texture import page_grain, pattern_mask, wash
from storybook.world import THINGS, Scene, Thing
from vision.types import Box

PIXEL_GRID = 128
"""The pixel style always draws on this grid and enlarges it without smoothing."""
CLUTTER = 255
"""The owner number of foreground clutter."""


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A drawn scene.

    Attributes:
        image: RGB, `size_px × size_px`.
        things: the scene's things, in the scene's order, with boxes and visible fractions measured in this rendering.
        owners: `(grid, grid)` uint8, which thing each drawn cell shows: index + 1; 0 for the backdrop, `CLUTTER` for
            clutter in front.
    """

    image: Image.Image
    things: tuple[Thing, ...]
    owners: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Ink:
    """How a style draws lines: width in grid cells per 256 and how far contours go from the thing's colour to black."""

    line: float
    depth: float


_INKS = {
    "flat": _Ink(0.9, 0.38),
    "outlined": _Ink(2.6, 0.86),
    "watercolour": _Ink(1.2, 0.45),
    "crayon": _Ink(1.8, 0.55),
    "paper-cut": _Ink(0.0, 0.0),
    "pixel": _Ink(0.9, 0.62),
}


def draw_order(things: tuple[Thing, ...]) -> list[tuple[int, str]]:
    """Return (thing index, part) in painter's order; containers are split around what stands inside them."""
    order: list[tuple[int, str]] = []
    for index in sorted(range(len(things)), key=lambda i: things[i].depth):
        if things[index].container is not None:
            continue
        inside = [i for i, thing in enumerate(things) if thing.container == index]
        if not inside:
            order.append((index, PART_ALL))
            continue
        order.append((index, PART_BACK))
        order.extend((i, PART_ALL) for i in inside)
        order.append((index, PART_FRONT))
    return order


def render(scene: Scene, size_px: int = 256) -> Rendered:
    """Draw a scene.

    Args:
        scene: what to draw.
        size_px: the image's side in pixels.

    Returns:
        The image and the things with their visible boxes, normalised xyxy; they hardly depend on the size.
    """
    grid = PIXEL_GRID if scene.style == "pixel" else size_px * 2
    key = f"{scene.split}:{scene.seed}"
    canvas = np.array(paint_backdrop(scene.background, grid, scene.horizon, f"backdrop:{key}"))
    owners = np.zeros((grid, grid), dtype=np.uint8)
    full = [0] * len(scene.things)
    for index, part in draw_order(scene.things):
        thing = scene.things[index]
        if part != PART_FRONT:
            _cast_shadow(canvas, thing, scene)
        full[index] += _paint_thing(canvas, owners, index, thing, part, scene)
    paint_clutter(canvas, owners, scene, CLUTTER)
    things = tuple(measure(thing, owners == index + 1, full[index]) for index, thing in enumerate(scene.things))
    return Rendered(_finish(canvas, scene, size_px), things, owners)


def measure(thing: Thing, visible: NDArray[np.bool_], full: int) -> Thing:
    """Return the thing with its box and visible fraction taken from a `(grid, grid)` mask of its visible cells.

    A thing with no visible cell keeps its box and gets the fraction 0.
    """
    rows = np.flatnonzero(visible.any(axis=1))
    if not len(rows):
        return replace(thing, visible_fraction=0.0)
    columns = np.flatnonzero(visible.any(axis=0))
    grid = len(visible)
    box = Box(int(columns[0]) / grid, int(rows[0]) / grid, (int(columns[-1]) + 1) / grid, (int(rows[-1]) + 1) / grid)
    return replace(thing, box=box, visible_fraction=min(1.0, int(np.count_nonzero(visible)) / max(1, full)))


def _paint_thing(
    canvas: NDArray[np.uint8], owners: NDArray[np.uint8], index: int, thing: Thing, part: str, scene: Scene
) -> int:
    """Paint one part of a thing; return how many cells it would fill if nothing hid or cut it."""
    grid = len(canvas)
    ink = _INKS[scene.style]
    palette = _lit_palette(thing, scene, ink)
    numbers = _Numbers(palette)
    patch = stamp(thing.kind, thing.placement, part, grid, numbers=numbers, line=ink.line * grid / 256)
    colours = _colour_patch(patch, thing, scene, numbers)
    height, width = patch.paints.shape
    y0, x0 = max(0, patch.top), max(0, patch.left)
    y1, x1 = min(grid, patch.top + height), min(grid, patch.left + width)
    full = int(np.count_nonzero(patch.paints))
    if y0 >= y1 or x0 >= x1:
        return full
    inner = (slice(y0 - patch.top, y1 - patch.top), slice(x0 - patch.left, x1 - patch.left))
    mask = patch.paints[inner] > 0
    if scene.style == "paper-cut":
        _drop_shadow(canvas, mask, y0, x0, max(1, grid // 90))
    canvas[y0:y1, x0:x1][mask] = colours[inner][mask]
    owners[y0:y1, x0:x1][mask] = index + 1
    return full


class _Numbers(dict[str, int]):
    """Gives every paint that a sketch uses a number on first use, and remembers its colour."""

    def __init__(self, palette: dict[str, Rgb]) -> None:
        super().__init__(contour=1, main=2)
        self._palette = palette
        self.colours: list[Rgb] = [(0, 0, 0), palette["contour"], palette["main"]]

    def __missing__(self, paint: str) -> int:
        self[paint] = len(self.colours)
        self.colours.append(self._palette[paint])
        return self[paint]


def _lit_palette(thing: Thing, scene: Scene, ink: _Ink) -> dict[str, Rgb]:
    """Return the thing's paints in the light of the scene, with the contour of its style."""
    palette = thing_palette(thing.colour, thing.placement.pose)
    dark_line = mix(palette["main"], (34, 26, 36), ink.depth)
    palette["contour"] = mix(palette["main"], (190, 190, 205), 0.5) if thing.colour == "black" else dark_line
    if scene.style == "outlined" and thing.colour != "black":
        palette["contour"] = (48, 42, 50)
    if scene.background == "night" and thing.kind not in ("moon", "star", "lamp", "sun"):
        palette = {
            name: (round(r * 0.86), round(g * 0.87), min(255, round(b * 0.97 + 4)))
            for name, (r, g, b) in palette.items()
        }
    return palette


def _colour_patch(patch: Stamp, thing: Thing, scene: Scene, numbers: _Numbers) -> NDArray[np.uint8]:
    """Return the patch in colour, `(h, w, 3)` uint8: pattern, shade and the style's uneven paint."""
    height, width = patch.paints.shape
    colours = np.array(numbers.colours, dtype=np.uint8)[patch.paints]
    u = (np.arange(width, dtype=np.float32)[None, :]) / np.float32(patch.unit)
    v = (np.arange(height, dtype=np.float32)[:, None]) / np.float32(patch.unit)
    if thing.pattern != "plain":
        period = max(14.0, 4.2 / thing.placement.height)
        worn = pattern_mask(thing.pattern, u, v, period, thing.placement.pose) & (patch.paints == numbers["main"])
        colours[worn] = numbers._palette["dark" if thing.pattern in ("wooden", "knitted") else "pattern"]
    if scene.style in ("flat", "pixel"):
        return colours if scene.style == "flat" else _posterise(colours, u, v)
    gain = 1.1 - (u / max(1.0, float(u[0, -1])) + v / max(1.0, float(v[-1, 0]))) * np.float32(0.13)
    gain = gain[:, :, None]
    uneven = wash(scene.style, max(256, len_pow2(max(height, width))))
    if uneven is not None:
        gain = gain * uneven[:height, :width]
    return np.clip(colours * gain, 0, 255).astype(np.uint8)


def len_pow2(length: int) -> int:
    """Return the smallest power of two that is at least `length`."""
    return 1 << (length - 1).bit_length()


def _posterise(colours: NDArray[np.uint8], u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Shade the lower right with a coarse dither, as old game sprites do."""
    share = u / max(1.0, float(u[0, -1])) + v / max(1.0, float(v[-1, 0]))
    rows, columns = np.indices(colours.shape[:2])
    shaded = (share > 1.25) | ((share > 1.0) & ((rows + columns) % 2 == 0))
    colours[shaded] = (colours[shaded] * np.float32(0.84)).astype(np.uint8)
    return colours


def _drop_shadow(canvas: NDArray[np.uint8], mask: NDArray[np.bool_], y0: int, x0: int, offset: int) -> None:
    height, width = mask.shape
    region = canvas[y0 + offset : y0 + height + offset, x0 + offset : x0 + width + offset]
    cut = mask[: region.shape[0], : region.shape[1]]
    region[cut] = (region[cut] * np.float32(0.68)).astype(np.uint8)


def _cast_shadow(canvas: NDArray[np.uint8], thing: Thing, scene: Scene) -> None:
    """Darken the ground under a standing thing; put a glow behind a shining one."""
    grid = len(canvas)
    place = thing.placement
    kind = THINGS[thing.kind]
    if kind.place == "ground" and thing.container is None:
        half_w, half_h = place.height * kind.aspect * 0.46 * grid, max(2.0, place.height * 0.05 * grid)
        _blend_oval(canvas, (place.x * grid, (place.foot - 0.004) * grid), (half_w, half_h), 0.8)
    elif scene.background == "night" and thing.kind in ("moon", "star", "sun"):
        middle = (place.x * grid, (place.foot - place.height / 2) * grid)
        for spread, gain in ((1.1, 1.12), (0.85, 1.16), (0.68, 1.2)):
            _blend_oval(canvas, middle, (place.height * spread * grid, place.height * spread * grid), gain)


def _blend_oval(
    canvas: NDArray[np.uint8], middle: tuple[float, float], radii: tuple[float, float], gain: float
) -> None:
    grid = len(canvas)
    x0, x1 = max(0, int(middle[0] - radii[0])), min(grid, int(middle[0] + radii[0]) + 1)
    y0, y1 = max(0, int(middle[1] - radii[1])), min(grid, int(middle[1] + radii[1]) + 1)
    if x0 >= x1 or y0 >= y1:
        return
    dx = (np.arange(x0, x1, dtype=np.float32) - middle[0]) / radii[0]
    dy = (np.arange(y0, y1, dtype=np.float32) - middle[1]) / radii[1]
    inside = dx[None, :] ** 2 + dy[:, None] ** 2 < 1.0
    region = canvas[y0:y1, x0:x1]
    region[inside] = np.minimum(region[inside] * np.float32(gain), 255).astype(np.uint8)


def _finish(canvas: NDArray[np.uint8], scene: Scene, size_px: int) -> Image.Image:
    """Reduce the canvas to the page and add the page's grain."""
    image = Image.fromarray(canvas)
    if scene.style == "pixel":
        return image.resize((size_px, size_px), Image.Resampling.NEAREST)
    image = image.reduce(2)
    grain = page_grain(scene.style, size_px)
    if grain is None:
        return image
    rng = random.Random(f"page:{scene.split}:{scene.seed}")
    turned = np.rot90(grain, rng.randrange(4))
    return Image.fromarray(np.clip(np.asarray(image) * turned, 0, 255).astype(np.uint8))
