"""What a reader is: pictures in, lines of text with their places out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vision.preprocessing import Preprocessing
from vision.types import Box, RgbImage


@dataclass(frozen=True, slots=True)
class ReadLine:
    """A line of text that was read in a picture.

    Attributes:
        text: what is written there, white space folded, at least one letter or digit.
        box: around the line.
        corners: the line itself, which may lie at an angle: `(x, y)` normalised as boxes are, clockwise from where
            its writing begins at the top.
        confidence: in [0, 1], the mean over its characters.
        script: ISO 15924 code of what most of its letters are, e.g. `Latn`; None for digits and signs alone.
    """

    text: str
    box: Box
    corners: tuple[tuple[float, float], ...]
    confidence: float
    script: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one picture.

    Attributes:
        lines: from top to bottom, and from left to right where they stand side by side.
        glanced: whether a first look at little cost showed that there is nothing to read.
    """

    lines: tuple[ReadLine, ...] = ()
    glanced: bool = False


@dataclass(frozen=True, slots=True)
class ReaderFacts:
    """What is known of a reader.

    Attributes:
        name: as a user calls it.
        identity: 64 hex digits that change with its graphs, its alphabet and everything that decides what it reads.
        preprocessing: how pictures must be decoded for it.
        scripts: ISO 15924 codes that its alphabet covers, the commonest first.
    """

    name: str
    identity: str
    preprocessing: Preprocessing
    scripts: tuple[str, ...] = field(default=())


class Reader(Protocol):
    """Finds and reads lines of text."""

    @property
    def facts(self) -> ReaderFacts:
        """Who it is and what it wants."""
        ...

    def read(self, pictures: Sequence[RgbImage]) -> Sequence[Reading]:
        """Read pictures.

        Args:
            pictures: HWC uint8 RGB, upright, prepared as the facts say; each of its own size.

        Returns:
            One reading each, in their order.

        Raises:
            ModelError: a graph fails.
        """
        ...
