"""An encoder without a model: colours by place, and a table of colour words. For tests, and for trying the house."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.encoders.arrays import check_images, check_prepared, readable_texts, to_unit_length
from vision.encoders.base import EncoderFacts
from vision.preprocessing import Preprocessing
from vision.types import Embeddings, RgbImage

_GRID = 3  # thirds of each side, so that left, right, top, bottom and middle have a cell of their own
_SIDE_PX = 24
_CONTEXT_WORDS = 64
# The eleven basic colour terms of English (Berlin and Kay, 1969), each with a typical sRGB value.
_COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "grey": (128, 128, 128),
    "red": (214, 39, 40),
    "orange": (255, 140, 0),
    "yellow": (250, 220, 30),
    "green": (44, 140, 44),
    "blue": (40, 90, 200),
    "purple": (128, 40, 150),
    "pink": (255, 150, 190),
    "brown": (120, 75, 35),
}
_SYNONYMS = {"gray": "grey", "violet": "purple", "crimson": "red", "scarlet": "red", "golden": "yellow", "navy": "blue"}
# Word → (row, column) of the cells it means; None is "every row" or "every column".
_PLACES: dict[str, tuple[int | None, int | None]] = {
    "top": (0, None),
    "above": (0, None),
    "bottom": (2, None),
    "below": (2, None),
    "left": (None, 0),
    "right": (None, 2),
    "middle": (1, 1),
    "centre": (1, 1),
    "center": (1, 1),
}
_CELLS = _GRID * _GRID
_COLOUR_DIMS = _CELLS * len(_COLOURS)
# Words outside the table go here, where no image has weight: texts differ, and an unknown word matches no picture.
_WORD_DIMS = 29
_WORD = re.compile(r"\w+")
# How far apart two colours may look and still share a name: the width of a Gaussian in CIELAB units.
_TOLERANCE_LAB = 22.0


class ColourEncoder:
    """Text and images as amounts of eleven colours in nine cells of the picture; deterministic, milliseconds, no files.

    An image's embedding holds, per cell, how much of each basic colour it shows. A text's embedding puts weight on
    the cells and colours that its words name ("red left, blue sky on top"); a place word belongs to the nearest colour
    word. It knows nothing but colours: it exists so that storage, indexing and pages can be tried without a model.
    """

    def __init__(self) -> None:
        self._facts = EncoderFacts(
            name="colour",
            backend="colour",
            revision="1",
            dim=_COLOUR_DIMS + _WORD_DIMS,
            context_length=_CONTEXT_WORDS,
            preprocessing=Preprocessing(
                resize="exact",
                size_hw=(_SIDE_PX, _SIDE_PX),
                resample=4,  # Pillow's BOX: the mean of what each pixel covers
                crop_hw=None,
                rescale=1 / 255,
                mean=(0.0, 0.0, 0.0),
                std=(1.0, 1.0, 1.0),
            ),
            text_recipe="lower|words|table-1",
            location="colour",
        )

    @property
    def facts(self) -> EncoderFacts:
        """What this encoder is; the revision changes whenever the embeddings do."""
        return self._facts

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts by their colour, place and other words; returns `(n, 128)` float32, L2-normalised."""
        raw = np.zeros((len(texts), self._facts.dim), dtype=np.float32)
        for row, text in zip(raw, readable_texts(texts), strict=True):
            _add_words(row, _WORD.findall(text.lower())[:_CONTEXT_WORDS])
        return to_unit_length(raw, first=0, kind="text")

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Embed images of any size; returns `(n, 128)` float32, L2-normalised.

        Raises:
            ModelError: an image is not HWC uint8 RGB.
        """
        check_images(images)
        if not images:
            return np.empty((0, self._facts.dim), dtype=np.float32)
        return self.encode_prepared(np.stack([self._facts.preprocessing.prepare(image) for image in images]))

    def encode_prepared(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """Embed `(n, 24, 24, 3)` uint8 RGB; returns `(n, 128)` float32, L2-normalised.

        Raises:
            ModelError: another shape or dtype.
        """
        check_prepared(pixels, self._facts.preprocessing)
        prototypes = _srgb_to_lab(np.array(list(_COLOURS.values()), dtype=np.float32) / np.float32(255))
        lab = _srgb_to_lab(pixels.astype(np.float32) * np.float32(self._facts.preprocessing.rescale))
        distances = np.square(lab[..., None, :] - prototypes).sum(axis=-1)
        # Relative to the nearest name, so that a colour far from all of them still counts as its nearest.
        weights = np.exp((distances.min(axis=-1, keepdims=True) - distances) / (2 * _TOLERANCE_LAB**2))
        weights /= weights.sum(axis=-1, keepdims=True)
        step = _SIDE_PX // _GRID
        cells = weights.reshape(len(pixels), _GRID, step, _GRID, step, len(_COLOURS)).mean(axis=(2, 4))
        raw = np.zeros((len(pixels), self._facts.dim), dtype=np.float32)
        raw[:, :_COLOUR_DIMS] = cells.reshape(len(pixels), _COLOUR_DIMS)
        return to_unit_length(raw, first=0, kind="image")


def _add_words(row: NDArray[np.float32], words: list[str]) -> None:
    names = [_SYNONYMS.get(word, word) for word in words]
    colours = [position for position, name in enumerate(names) if name in _COLOURS]
    cells_of: dict[int, set[int]] = {position: set() for position in colours}
    for position, name in enumerate(names):
        if name in _COLOURS:
            continue
        if name in _PLACES and colours:
            nearest = min(colours, key=lambda colour: abs(colour - position))
            cells_of[nearest] |= _cells(*_PLACES[name])
        else:
            row[_COLOUR_DIMS + _bucket(name)] += 0.1
    order = list(_COLOURS)
    for position, cells in cells_of.items():
        for cell in cells or range(_CELLS):
            row[cell * len(order) + order.index(names[position])] += 1.0
    if not names:  # nothing to read still needs a direction: the one that matches no picture
        row[_COLOUR_DIMS] = 1.0


def _cells(row: int | None, column: int | None) -> set[int]:
    rows = range(_GRID) if row is None else (row,)
    columns = range(_GRID) if column is None else (column,)
    return {r * _GRID + c for r in rows for c in columns}


def _bucket(word: str) -> int:
    # Python's own hash changes from process to process; an index must not.
    return int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % _WORD_DIMS


def _srgb_to_lab(srgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIELAB (D65) of `(..., 3)` sRGB in [0, 1], by the formulas of IEC 61966-2-1 and CIE 15."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    lightness, red_green, yellow_blue = f[..., 1], f[..., 0] - f[..., 1], f[..., 1] - f[..., 2]
    return np.stack([116 * lightness - 16, 500 * red_green, 200 * yellow_blue], axis=-1).astype(np.float32)
