"""Heat maps: where in a picture any words are, from the similarity of a dual encoder's patches with the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.encoders.base import Encoder, LocatingEncoder
from vision.errors import NoHeatMapError
from vision.types import Box, RgbImage


@dataclass(frozen=True, slots=True, eq=False)
class HeatMaps:
    """One map per text over one picture.

    A value compares with the others of its map; between texts and between models it means little, and 0 means nothing.

    Attributes:
        texts: what was looked for, as given.
        maps: `(texts, rows, columns)` float32 in [-1, 1], the cosine of every patch with the text; row by row from the
            upper left of `covers`.
        covers: the part of the upright picture that the encoder saw; the whole, unless its preprocessing crops.
    """

    texts: tuple[str, ...]
    maps: NDArray[np.float32]
    covers: Box


def heat_maps(encoder: Encoder, image: RgbImage, texts: Sequence[str]) -> HeatMaps:
    """Say where in a picture each text is. The picture is looked at once, however many texts there are.

    Args:
        encoder: one that fulfils `LocatingEncoder`.
        image: HWC uint8 RGB of any size, upright.
        texts: noun phrases do best: no patch knows which of two dogs is left of a tree.

    Raises:
        NoHeatMapError: the encoder has no patches in the space of its texts.
        ModelError: the image is not HWC uint8 RGB.
    """
    patches = locating(encoder).encode_patches([image])[0]
    height, width = image.shape[:2]
    rows, columns, covers = visible_cells(encoder.facts.preprocessing.view((width, height)), patches.shape[:2])
    cosines = np.einsum("rcd,td->trc", patches[rows, columns], encoder.encode_text(texts), dtype=np.float32)
    return HeatMaps(tuple(texts), np.clip(cosines, -1, 1), covers)


def can_locate(encoder: Encoder) -> bool:
    """Whether it has patches in the space of its texts."""
    return isinstance(encoder, LocatingEncoder) and encoder.locates


def locating(encoder: Encoder) -> LocatingEncoder:
    """The encoder, if it has heat maps.

    Raises:
        NoHeatMapError: it has no patches in the space of its texts.
    """
    if isinstance(encoder, LocatingEncoder):
        return encoder
    raise NoHeatMapError(
        f"{encoder.facts.name} ({encoder.facts.backend}) gives one embedding per picture and none per patch, so it "
        "has no heat maps",
        remedy="Use a CLIP or SigLIP folder with model.safetensors, such as the preset siglip2-base.",
    )


def peak(heat: NDArray[np.float32], covers: Box) -> tuple[float, float]:
    """Point at the strongest cell of a map.

    Args:
        heat: `(rows, columns)`, at least one of each; the first of equal cells counts.
        covers: the part of the picture that the map lies over.

    Returns:
        x and y of the cell's middle, normalised, on the upright picture.
    """
    row, column = np.unravel_index(int(np.argmax(heat)), heat.shape)
    across, down = (column + 0.5) / heat.shape[1], (row + 0.5) / heat.shape[0]
    return float(covers.x0 + across * (covers.x1 - covers.x0)), float(covers.y0 + down * (covers.y1 - covers.y0))


def visible_cells(view: tuple[float, float, float, float], grid: tuple[int, ...]) -> tuple[slice, slice, Box]:
    """The cells of a grid that show some of the picture, and where they are: a small picture may have been padded.

    Padding may end within a cell, which is then drawn narrower than it is, by less than one cell.

    Args:
        view: what the grid lies over, as `Preprocessing.view` says it.
        grid: its rows and columns.
    """
    across, down = _kept(view[0], view[2], grid[1]), _kept(view[1], view[3], grid[0])
    return down[0], across[0], Box(across[1], down[1], across[2], down[2])


def _kept(start: float, end: float, cells: int) -> tuple[slice, float, float]:
    edges = start + np.arange(cells + 1) / cells * (end - start)
    kept = np.flatnonzero((edges[:-1] < 1) & (edges[1:] > 0))
    first, last = int(kept[0]), int(kept[-1]) + 1
    return slice(first, last), max(0.0, float(edges[first])), min(1.0, float(edges[last]))
