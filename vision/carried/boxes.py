"""Boxes as other programs write them, turned onto the upright picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

Xyxy: TypeAlias = tuple[float, float, float, float]
"""Normalised in [0, 1], origin top left."""

_LEAST_SIDE = 1e-3
"""Narrower than this share of the picture is no face."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How a picture lies in its file.

    Attributes:
        upright_wh: width and height as people see it.
        orientation: EXIF's number, 1 to 8, by which it was turned.
    """

    upright_wh: tuple[int, int]
    orientation: int = 1

    def applied_to(self, width: float | None, height: float | None) -> Frame:
        """The frame for boxes that were drawn on a picture of this size: one that lay upright needs no turning.

        MWG means the picture as it is stored; some programs write the boxes of the upright one, and its size.
        """
        if not width or not height or self.orientation < 5 or self.upright_wh[0] == self.upright_wh[1]:
            return self
        lay_upright = (width > height) == (self.upright_wh[0] > self.upright_wh[1])
        return replace(self, orientation=1) if lay_upright else self

    def upright(self, box: Xyxy | None) -> Xyxy | None:
        """A box of the stored picture on the upright one, cut to it; None where nothing of it is left."""
        if box is None:
            return None
        ends = [_turned(self.orientation, *end) for end in (box[:2], box[2:])]
        (x0, x1), (y0, y1) = (sorted(min(1.0, max(0.0, end[axis])) for end in ends) for axis in (0, 1))
        return (x0, y0, x1, y1) if min(x1 - x0, y1 - y0) >= _LEAST_SIDE else None


def from_centre(x: float | None, y: float | None, width: float | None, height: float | None) -> Xyxy | None:
    """A box from its centre and size; None where something is missing."""
    if x is None or y is None or width is None or height is None:
        return None
    return from_corner(x - width / 2, y - height / 2, width, height)


def from_corner(x: float | None, y: float | None, width: float | None, height: float | None) -> Xyxy | None:
    """A box from its upper left corner and size; None where something is missing or makes no sense."""
    if x is None or y is None or width is None or height is None:
        return None
    box = (x, y, x + width, y + height)
    return box if width > 0 and height > 0 and all(math.isfinite(end) and abs(end) < 10 for end in box) else None


def _turned(orientation: int, x: float, y: float) -> tuple[float, float]:
    """A point of the stored picture on the upright one."""
    if orientation >= 5:  # transposed, and then mirrored
        x, y = y, x
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}.get(orientation, 1)
    return 1 - x if orientation in (2, 3) else x, 1 - y if orientation in (3, 4) else y
