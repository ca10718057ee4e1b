"""From a heat map to what is laid over its picture: strength becomes colour and opacity, the unknown stays bare."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.errors import GeometryError
from vision.heat_colours import LEVELS, heat_colours
from vision.types import Box, RgbImage

MAX_OPACITY = 0.78
"""Of the strongest cell: the picture must still be recognised under it."""

WHOLE_PICTURE = Box(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class HeatScale:
    """Which values mean nothing and which mean most.

    Attributes:
        low: this value and all below it are bare.
        high: this value and all above it have the last colour at `MAX_OPACITY`; strength grows evenly in between.
            Where it is not above `low` nothing is drawn at all: a map without differences points nowhere.
    """

    low: float
    high: float

    def strength(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of any shape as strength in [0, 1], float32."""
        if not self.high > self.low:
            return np.zeros_like(values)
        share: NDArray[np.float32] = np.clip((values - self.low) / (self.high - self.low), 0, 1).astype(np.float32)
        return share


def scale_from_zero(heat: NDArray[np.float32]) -> HeatScale:
    """The scale of shares, such as attention: from 0 to the map's largest value."""
    known = heat[np.isfinite(heat)]
    return HeatScale(0.0, float(known.max(initial=0.0)))


def scale_from_middle(heat: NDArray[np.float32]) -> HeatScale:
    """The scale of similarities, whose zero means nothing: from the map's median to its largest value."""
    known = heat[np.isfinite(heat)]
    return HeatScale(float(np.median(known)), float(known.max())) if known.size else HeatScale(0.0, 0.0)


def scale_of_strength(heat: NDArray[np.float32], strength: float) -> HeatScale:
    """As `scale_from_middle`, weaker: the largest value is drawn as strongly as what it stands for is sure.

    Args:
        heat: similarities.
        strength: in [0, 1]; 0 draws nothing.
    """
    full = scale_from_middle(heat)
    if strength <= 0:
        return HeatScale(full.high, full.high)
    return HeatScale(full.low, full.low + (full.high - full.low) / strength)


def heat_layer(
    heat: NDArray[np.float32], size_wh: tuple[int, int], scale: HeatScale, covers: Box = WHOLE_PICTURE
) -> NDArray[np.uint8]:
    """A see-through picture of a heat map, to be laid over what it was made of.

    Values between the middles of cells are interpolated linearly, so none lies outside of what its neighbours hold.

    Args:
        heat: `(rows, columns)` float32, row by row from the upper left; a cell that is not finite stays bare.
        size_wh: width and height of the layer in pixels, with the picture's proportions.
        scale: which values are drawn how strongly.
        covers: the part of the picture that the map was made of, for encoders that cut off the edges.

    Returns:
        `(height, width, 4)` uint8, sRGB with straight alpha.

    Raises:
        GeometryError: the heat map or the size is empty, or the map is not two-dimensional.
    """
    width, height = size_wh
    if heat.ndim != 2 or 0 in heat.shape:
        raise GeometryError(f"a heat map has rows and columns, got the shape {heat.shape}")
    if width < 1 or height < 1:
        raise GeometryError(f"a layer must have at least 1 × 1 pixels, got {width} × {height}")
    left, right = _pixels_of(covers.x0, covers.x1, width)
    top, bottom = _pixels_of(covers.y0, covers.y1, height)
    values, bare = _interpolated(heat, bottom - top, right - left)
    strength = scale.strength(values)
    strength[bare] = 0
    layer = np.zeros((height, width, 4), dtype=np.uint8)
    inside = layer[top:bottom, left:right]
    inside[..., :3] = heat_colours()[np.rint(strength * (LEVELS - 1)).astype(np.intp)]
    inside[..., 3] = np.rint(strength * (MAX_OPACITY * 255))
    return layer


def overlay(image: RgbImage, heat: NDArray[np.float32], scale: HeatScale, covers: Box = WHOLE_PICTURE) -> RgbImage:
    """Lay a heat map over its picture.

    Args:
        image: HWC uint8 RGB, upright.
        heat: as for `heat_layer`.
        scale: as for `heat_layer`.
        covers: as for `heat_layer`.

    Returns:
        A new picture of the same size; where nothing is drawn, its pixels are those of `image`.

    Raises:
        GeometryError: as for `heat_layer`.
    """
    height, width = image.shape[:2]
    layer = Image.fromarray(heat_layer(heat, (width, height), scale, covers), "RGBA")
    picture = Image.fromarray(image)
    picture.paste(layer, mask=layer)  # Pillow drops the layer's alpha and blends by the mask
    return np.asarray(picture)


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of `(height, width, 3)` or `(height, width, 4)` uint8 pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _pixels_of(start: float, stop: float, length_px: int) -> tuple[int, int]:
    """The pixels of a stretch of one side, at least one of them."""
    first = min(length_px - 1, round(start * length_px))
    return first, max(first + 1, round(stop * length_px))


def _interpolated(heat: NDArray[np.float32], height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values per pixel, and which pixels lie in a cell without one; such cells take no part in their neighbours'."""
    known = np.isfinite(heat)
    across, down = _shares(width, heat.shape[1]), _shares(height, heat.shape[0])
    total = down @ np.where(known, heat, 0).astype(np.float32) @ across.T
    weight = down @ known.astype(np.float32) @ across.T
    values = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    rows = np.arange(height) * heat.shape[0] // height
    columns = np.arange(width) * heat.shape[1] // width
    return values, ~known[np.ix_(rows, columns)]


def _shares(length_px: int, cells: int) -> NDArray[np.float32]:
    """How much each cell has in each pixel along one side, `(length_px, cells)`; every row sums to 1."""
    middles = np.clip((np.arange(length_px) + 0.5) / length_px * cells - 0.5, 0, cells - 1)
    shares: NDArray[np.float32] = np.maximum(0, 1 - np.abs(middles[:, None] - np.arange(cells))).astype(np.float32)
    return shares
