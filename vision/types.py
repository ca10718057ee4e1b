"""The nouns that every room shares: boxes, regions and arrays with agreed shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vision.errors import GeometryError

RgbImage: TypeAlias = NDArray[np.uint8]
"""HWC uint8, RGB, [0, 255], EXIF-upright."""

Embeddings: TypeAlias = NDArray[np.float32]
"""`(n, dim)` float32, every row L2-normalised."""


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box: normalised `xyxy` in [0, 1], origin top left, on the EXIF-upright image.

    Raises:
        GeometryError: a coordinate is not finite or outside [0, 1], or the box has no area.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) and 0.0 <= v <= 1.0 for v in self.as_xyxy()):
            raise GeometryError(f"box coordinates must lie in [0, 1], got {self.as_xyxy()}")
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise GeometryError(f"box must have x0 < x1 and y0 < y1, got {self.as_xyxy()}")

    def as_xyxy(self) -> tuple[float, float, float, float]:
        """Return the four coordinates in the order x0, y0, x1, y1."""
        return (self.x0, self.y0, self.x1, self.y1)


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open character range `[start, end)` of a cleaned caption.

    Raises:
        GeometryError: the range is empty or starts before the text.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise GeometryError(f"span must satisfy 0 <= start < end, got ({self.start}, {self.end})")


@dataclass(frozen=True, slots=True)
class Region:
    """A phrase tied to one box of one image.

    Attributes:
        phrase: the noun phrase as written.
        box: where it is.
        span: where the phrase stands in its caption; None when there is no caption.
        score: the captioner's confidence in [0, 1]; None when a person drew the box.
    """

    phrase: str
    box: Box
    span: Span | None = None
    score: float | None = None
