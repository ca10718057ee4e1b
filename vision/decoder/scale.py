"""How many of a picture's pixels an answer needs: what is larger is decoded, or at once reduced, to a fraction."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from vision.decoder.contract import DecodeRequest, full_size_factor

_MARGIN = 2
"""Reduced pictures keep at least so many pixels, each way, for one of the encoder's: the last resize is the filter that
it was trained with, and with twice the pixels it sees what it always saw (decision 20). A preview needs no margin."""

SHRINK_ABOVE_PIXELS = 25_000_000
"""Formats that cannot decode at a fraction keep all their pixels up to this many; beyond, they are averaged."""

_JPEG_SCALES = (8, 4, 2)


@dataclass(frozen=True, slots=True)
class View:
    """An upright picture that may be a reduced copy of the whole.

    Attributes:
        picture: in mode RGB.
        full_wh: of the whole picture.
        divisor: by how much decoder and averaging have divided its sides.
    """

    picture: Image.Image
    full_wh: tuple[int, int]
    divisor: int = 1

    @property
    def extent_wh(self) -> tuple[float, float]:
        """How much of `picture` the whole covers: its last row and column may stand for less than a full one."""
        if self.divisor == 1:
            return self.picture.width, self.picture.height
        width, height = (side / self.divisor for side in self.full_wh)
        return min(width, self.picture.width), min(height, self.picture.height)


def factor_for(request: DecodeRequest, full_wh: tuple[int, int]) -> int:
    """The whole number by which the sides of an upright picture may be divided before it is prepared; at least 1."""
    width, height = full_wh
    if request.wants_pixels and request.preprocessing is None:
        return full_size_factor(width, height, request.most_pixels)
    needed: list[int] = []
    if request.preprocessing is not None:
        needed += [_MARGIN * side for side in request.preprocessing.resized_wh(width, height)]
    if request.preview_px is not None:
        needed += shrunk_wh(full_wh, request.preview_px)
    least_w, least_h = max(needed[0::2]), max(needed[1::2])
    return max(1, min(width // least_w, height // least_h))


def shrunk_wh(size_wh: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """Size of a picture whose longest side is at most `longest_px`; never enlarged."""
    factor = longest_px / max(size_wh)
    if factor >= 1:
        return size_wh
    return max(1, round(size_wh[0] * factor)), max(1, round(size_wh[1] * factor))


def draft_jpeg(picture: Image.Image, factor: int) -> int:
    """Let libjpeg decode a JPEG at 1/2, 1/4 or 1/8 of its size; return the divisor that it took."""
    scale = next((scale for scale in _JPEG_SCALES if scale <= factor), 1)
    if scale == 1:
        return 1
    full_wh = picture.size
    picture.draft(None, (max(1, full_wh[0] // scale), max(1, full_wh[1] // scale)))
    return scale if picture.size == (math.ceil(full_wh[0] / scale), math.ceil(full_wh[1] / scale)) else 1


def draft_jpeg2000(picture: Image.Image, factor: int, levels: int) -> int:
    """Let OpenJPEG leave out the finest wavelet levels; return the divisor."""
    steps = min(levels, int(math.log2(factor)) if factor > 1 else 0)
    if steps:
        picture.reduce = steps  # type: ignore[method-assign, assignment]  # the plugin's setter hides the method
    return 1 << steps


def averaged_by(picture_wh: tuple[int, int], factor: int, *, exact: bool) -> int:
    """By how much to average the pixels of a decoded picture: not at all where it is small and nobody insists."""
    if exact or picture_wh[0] * picture_wh[1] > SHRINK_ABOVE_PIXELS:
        return factor
    return 1
