"""Several looks at one picture: patches of the whole and of its parts, in the space of texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.encoders.base import Encoder
from vision.errors import ModelError
from vision.localize import locating, visible_cells
from vision.types import Box, RgbImage

WHOLE = 1
"""Looks at the whole picture alone."""

WITH_PARTS = 5
"""Looks at the picture and its four overlapping parts: five times the work, and finds things of a patch's size."""

GRID = 8
"""Patches a side of one look, whatever the encoder's own grid: what is kept of a picture has one size."""

_PARTS = (0.0, 0.4)
_PART_SIDE = 0.6
_LEAST_PX = 10
"""A picture with a shorter side than this has no parts to look at: each is the whole again."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Patches of one picture.

    Attributes:
        patches: `(looks, rows, columns, dim)` float32, each vector L2-normalised.
        views: `(looks, 4)` float32, what each grid lies over, in sides of the picture: left, top, right, bottom; below
            0 or above 1 where a small picture was padded.
    """

    patches: NDArray[np.float32]
    views: NDArray[np.float32]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.patches.shape[-1])

    def cells(self, count: int) -> int:
        """How many rows of `cosines` are of the first looks."""
        return sum(rows * columns for rows, columns in self.layout()[0][:count])

    def cosines(self, texts: NDArray[np.float32]) -> NDArray[np.float32]:
        """Every patch that shows some of the picture with every text.

        Args:
            texts: `(q, dim)` float32, L2-normalised.

        Returns:
            `(cells, q)` float32.
        """
        shown = [self.patches[look][cells].reshape(-1, self.dim) for look, cells, _ in self._seen()]
        found: NDArray[np.float32] = np.concatenate(shown) @ texts.T
        return found

    def layout(self) -> tuple[list[tuple[int, ...]], list[Box]]:
        """Rows and columns of each map in `cosines`, and the part of the picture that it lies over."""
        seen = self._seen()
        return [self.patches[look][cells].shape[:2] for look, cells, _ in seen], [covers for _, _, covers in seen]

    def _seen(self) -> list[tuple[int, tuple[slice, slice], Box]]:
        grid = self.patches.shape[1:3]
        found = []
        for look, view in enumerate(self.views.tolist()):
            rows, columns, covers = visible_cells((view[0], view[1], view[2], view[3]), grid)
            found.append((look, (rows, columns), covers))
        return found


def look_at_pictures(
    encoder: Encoder, images: Sequence[RgbImage], looks: int = WITH_PARTS, *, pooled: bool = True
) -> list[Looks]:
    """Embed the patches of pictures of any size, in order.

    Args:
        encoder: one that fulfils `LocatingEncoder`.
        images: HWC uint8 RGB, upright.
        looks: `WHOLE` or `WITH_PARTS`.
        pooled: bring each grid to `GRID` × `GRID`; off, it stays the encoder's own.

    Raises:
        NoHeatMapError: the encoder has no patches in the space of its texts.
        ModelError: an image is not HWC uint8 RGB, or `looks` is another number.
    """
    locates = locating(encoder)
    if looks not in (WHOLE, WITH_PARTS):
        raise ModelError(f"a picture is looked at {WHOLE} or {WITH_PARTS} times, not {looks}")
    cut = [part for image in images for part in _parts(image, looks)]
    if not cut:
        return []
    patches = locates.encode_patches([pixels for pixels, _ in cut])
    if pooled:
        patches = _pooled(patches)
    view = encoder.facts.preprocessing.view
    views = np.array([_within(place, view((p.shape[1], p.shape[0]))) for p, place in cut], np.float32)
    return [Looks(patches[at : at + looks], views[at : at + looks]) for at in range(0, len(cut), looks)]


def _parts(image: RgbImage, looks: int) -> list[tuple[RgbImage, Box]]:
    """The whole picture, then its parts."""
    whole = (image, Box(0, 0, 1, 1))
    height, width = image.shape[:2]
    if looks == WHOLE or min(height, width) < _LEAST_PX:
        return [whole] * looks
    found = [whole]
    for down in _PARTS:
        for across in _PARTS:
            top, bottom = round(down * height), round((down + _PART_SIDE) * height)
            left, right = round(across * width), round((across + _PART_SIDE) * width)
            place = Box(left / width, top / height, right / width, bottom / height)
            found.append((np.ascontiguousarray(image[top:bottom, left:right]), place))
    return found


def _within(place: Box, view: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A part of a part, in sides of the whole."""
    across, down = place.x1 - place.x0, place.y1 - place.y0
    left, top, right, bottom = view
    return place.x0 + across * left, place.y0 + down * top, place.x0 + across * right, place.y0 + down * bottom


def _pooled(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(n, rows, columns, dim)` → `(n, GRID, GRID, dim)`: each new cell the mean of what it covers, L2-normalised."""
    rows, columns = patches.shape[1:3]
    if (rows, columns) == (GRID, GRID):
        return patches
    mixed = np.einsum("gr,nrcd,hc->nghd", _overlaps(rows), patches, _overlaps(columns), optimize=True)
    lengths = np.maximum(np.linalg.norm(mixed, axis=-1, keepdims=True), 1e-12)
    found: NDArray[np.float32] = (mixed / lengths).astype(np.float32)
    return found


def _overlaps(cells: int) -> NDArray[np.float32]:
    """`(GRID, cells)`: how much of each old cell lies in each new one."""
    edges, new = np.arange(cells + 1) / cells, np.arange(GRID + 1) / GRID
    shared = np.minimum(edges[None, 1:], new[1:, None]) - np.maximum(edges[None, :-1], new[:-1, None])
    found: NDArray[np.float32] = (np.maximum(shared, 0) * GRID).astype(np.float32)
    return found
