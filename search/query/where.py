"""Boxes for hits that no stored region explains: derived from patches, for what is shown alone, and remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from vision.boxing import Background, box_from_heats
from vision.encoders.base import Encoder
from vision.localize import heat_maps
from vision.types import Box, RgbImage

KEPT_BOXES = 4096
"""Derived boxes in memory, some hundred bytes each."""

_PARTS = (0.0, 0.4)
_PART_SIDE = 0.6
"""Four overlapping parts beside the whole picture: what one costs five looks, and finds things of a patch's size."""


@dataclass(frozen=True, slots=True)
class DerivedBox:
    """Where a phrase is, as far as patches tell.

    Attributes:
        phrase: what was looked for.
        box: where.
        peak: the largest cosine of a patch of the whole picture with the phrase; below 1, comparable for one phrase.
        strength: `peak` against what pictures without it reach, in [0, 1]; None where nobody gave that background.
    """

    phrase: str
    box: Box
    peak: float
    strength: float | None


class DerivedBoxes:
    """Derives boxes and keeps the last of them. Safe to call from several threads.

    Args:
        encoder: one that fulfils `LocatingEncoder`.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: OrderedDict[tuple[str, str], tuple[Box, float] | None] = OrderedDict()
        self._lock = Lock()

    def missing(self, image_sha256: str, phrases: Sequence[str]) -> list[str]:
        """The phrases for which this picture's pixels are needed."""
        with self._lock:
            return [phrase for phrase in phrases if (image_sha256, phrase) not in self._known]

    def of(
        self,
        image_sha256: str,
        pixels: RgbImage | None,
        phrases: Sequence[str],
        backgrounds: Sequence[Background | None],
    ) -> list[DerivedBox]:
        """The boxes of phrases in one picture, in order; a phrase whose map has no differences has none.

        Args:
            image_sha256: of the picture's file.
            pixels: HWC uint8 RGB, upright, such as its decoded preview; None is enough where `missing` is empty.
            phrases: noun phrases.
            backgrounds: one for each phrase, for its strength.

        Raises:
            NoHeatMapError: the encoder has no patches in the space of its texts.
            ModelError: the pixels are not HWC uint8 RGB.
        """
        wanted = self.missing(image_sha256, phrases)
        fresh = self._look(pixels, wanted) if pixels is not None and wanted else {}
        found = []
        with self._lock:
            for phrase, background in zip(phrases, backgrounds, strict=True):
                key = (image_sha256, phrase)
                made = fresh[phrase] if phrase in fresh else self._known.get(key)
                if key in self._known or phrase in fresh:
                    self._known[key] = made
                    self._known.move_to_end(key)
                if made is not None:
                    strength = None if background is None else background.strength(made[1])
                    found.append(DerivedBox(phrase, made[0], made[1], strength))
            while len(self._known) > KEPT_BOXES:
                self._known.popitem(last=False)
        return found

    def _look(self, pixels: RgbImage, phrases: Sequence[str]) -> dict[str, tuple[Box, float] | None]:
        looks = [(heat_maps(self._encoder, part, phrases), place) for part, place in _looks(pixels)]
        made: dict[str, tuple[Box, float] | None] = {}
        for number, phrase in enumerate(phrases):
            heats = [maps.maps[number] for maps, _ in looks]
            box = box_from_heats(heats, [_inside(maps.covers, place) for maps, place in looks])
            made[phrase] = None if box is None else (box, float(heats[0].max()))
        return made


def _looks(pixels: RgbImage) -> list[tuple[RgbImage, Box]]:
    """The whole picture, then its four overlapping parts; a picture too small for parts has none."""
    height, width = pixels.shape[:2]
    looks = [(pixels, Box(0, 0, 1, 1))]
    if min(height, width) < 10:
        return looks
    for down in _PARTS:
        for across in _PARTS:
            top, bottom = round(down * height), round((down + _PART_SIDE) * height)
            left, right = round(across * width), round((across + _PART_SIDE) * width)
            place = Box(left / width, top / height, right / width, bottom / height)
            looks.append((np.ascontiguousarray(pixels[top:bottom, left:right]), place))
    return looks


def _inside(covers: Box, place: Box) -> Box:
    """A part of a part, in coordinates of the whole."""
    across, down = place.x1 - place.x0, place.y1 - place.y0
    return Box(
        place.x0 + across * covers.x0,
        place.y0 + down * covers.y0,
        min(1.0, place.x0 + across * covers.x1),
        min(1.0, place.y0 + down * covers.y1),
    )
