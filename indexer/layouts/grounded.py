"""Phrases whose boxes people drew, whatever layout they were read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath

from indexer.report import SkippedRecord
from search.errors import ImportFormatError
from vision.types import Box


@dataclass(frozen=True, slots=True)
class GroundedPhrase:
    """One phrase of one picture.

    Attributes:
        where: what stands for it in messages.
        split: of which part of the set it is.
        file: of the picture, below the folder of the pictures.
        size_wh: pixels of the picture that the boxes were drawn on.
        phrase: what is to be found.
        sentence: in which it stands; None for an expression that stands alone.
        boxes: of what it names, at least one.
    """

    where: str
    split: str
    file: str
    size_wh: tuple[int, int]
    phrase: str
    sentence: str | None
    boxes: tuple[Box, ...]


@dataclass(slots=True)
class GroundedSet:
    """What a layout holds.

    Attributes:
        phrases: those of one picture stand together.
        boxless: phrases that the set itself gives no box, such as a whole scene; they are not asked.
        skipped: records that are not what the layout says.
    """

    phrases: list[GroundedPhrase] = field(default_factory=list)
    boxless: int = 0
    skipped: list[SkippedRecord] = field(default_factory=list)


def inside(file: str, what: str) -> str:
    """A file name that does not lead out of its folder.

    Raises:
        ImportFormatError: it does.
    """
    path = PurePosixPath(file.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or "\0" in file:
        raise ImportFormatError(f"{what} leads out of the folder of the pictures")
    return file
