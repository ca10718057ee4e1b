"""What comes of looking into one picture: where words are in it, what a captioner answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.overlay_images import HeatScale
from vision.types import Box


@dataclass(frozen=True, slots=True)
class Pointed:
    """Where a phrase is in one picture, after its patches.

    Attributes:
        box: None where the patches do not differ.
        strength: how surely it is there at all, in [0, 1]: 0.5 is what hardly any picture without it reaches; None
            where there are no others to compare with.
    """

    phrase: str
    box: Box | None
    strength: float | None


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """Where in one picture a text is, after the library's encoder.

    Attributes:
        text: as it was understood.
        heat: `(rows, columns)` float32, cosine of patch and text, row by row from the upper left.
        covers: the part of the picture that the patches tile.
        scale: which values mean nothing and which mean most.
        box: where it is, as far as patches tell; None where the map has no differences.
        strength: how surely it is there at all, in [0, 1], by what other pictures reach; None where there are none.
        model: name of the encoder.
        took_ms: wall-clock milliseconds in the encoder.
    """

    text: str
    heat: NDArray[np.float32]
    covers: Box
    scale: HeatScale
    box: Box | None
    strength: float | None
    model: str
    took_ms: float


@dataclass(frozen=True, slots=True)
class PictureAnswer:
    """What a captioner says to a question about one picture.

    Attributes:
        answer: may be empty.
        log_probability: natural logarithm of the probability of its tokens.
        model: name of the captioner.
        took_ms: wall-clock milliseconds in the captioner.
    """

    question: str
    answer: str
    log_probability: float
    model: str
    took_ms: float
