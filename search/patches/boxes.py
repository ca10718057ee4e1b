"""Boxes derived from the patches of many pictures at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vision.boxing import Painter
from vision.looks import Looks
from vision.types import Box


def derived_boxes(pictures: Sequence[Looks], cosines: Sequence[NDArray[np.float32]]) -> list[Box | None]:
    """Where a text is in each picture, as far as patches tell; None where they do not differ.

    Args:
        pictures: their looks.
        cosines: `(cells,)` of each with the text, from `Looks.cosines`.
    """
    found: list[Box | None] = [None] * len(pictures)
    alike: dict[bytes, list[int]] = {}
    for number, looks in enumerate(pictures):
        # To a thousandth of a side, so that rounding to pixels tells no layouts apart.
        alike.setdefault(np.round(looks.views, 3).tobytes(), []).append(number)
    for numbers in alike.values():
        painter = Painter(*pictures[numbers[0]].layout())
        boxes = painter.boxes(np.stack([cosines[number] for number in numbers]))
        for number, box in zip(numbers, boxes, strict=True):
            found[number] = box
    return found
