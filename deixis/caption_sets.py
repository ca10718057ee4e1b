"""What `deixis eval captions` compares: a caption a picture, read or written now, and what people wrote about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from indexer.annotations.reading import read_annotations
from indexer.isolate import in_parts
from indexer.layouts.eccv_caption import read_numbered
from indexer.layouts.grounded import inside
from indexer.layouts.written_captions import read_written
from indexer.report import SkippedRecord
from search.errors import ImportFormatError
from vision.encoders.base import Encoder
from vision.grounding.base import GroundedCaptioner
from vision.images import DecodeLimits, DecodeRequest, DecoderPool, Refused
from vision.preprocessing import Preprocessing
from vision.types import RgbImage

_PICTURES = 8
"""Pictures that are captioned, or embedded, together."""


@dataclass(frozen=True, slots=True)
class PictureFolder:
    """Where pictures lie, what one may cost, and in how many processes they are decoded."""

    place: Path
    limits: DecodeLimits
    workers: int


@dataclass(slots=True)
class References:
    """What people wrote, by the file of the picture; captions that are compared with it, too.

    Attributes:
        told: at least one text each.
        written: one text each; pictures without one are skipped.
    """

    told: dict[str, list[str]] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    skipped: list[SkippedRecord] = field(default_factory=list)

    @property
    def files(self) -> list[str]:
        """The pictures of which both are known, in the order of the references."""
        return [file for file in self.told if file in self.written]


def read_references(path: Path, split: str | None, language: str | None) -> References:
    """Read people's captions.

    Raises:
        ImportFormatError: it is no annotation file, or holds no caption.
    """
    read = read_annotations(path, split)
    found = References(skipped=list(read.skipped))
    for file, record in read.pictures.items():
        texts = [one.text for one in record.captions if language in (None, one.language)]
        if texts:
            found.told[file] = texts
    if not found.told:
        raise ImportFormatError(f"{path}: no caption in it", remedy="Give COCO captions, or Deixis JSON lines.")
    return found


def add_written(found: References, path: Path, references: Path) -> None:
    """Read the captions that are measured.

    Raises:
        ImportFormatError: it is no file of captions, or none is about a picture of the references.
    """
    written = read_written(path, lambda: read_numbered(references).files)
    found.skipped += written.skipped
    found.written = written.by_file
    found.skipped += [
        _skipped(file, "no caption was written about it") for file in found.told if file not in written.by_file
    ]
    found.skipped += [_skipped(file, "nobody wrote about it") for file in written.by_file if file not in found.told]
    if not found.files:
        raise ImportFormatError(
            f"{path}: none of its captions is about a picture of {references}",
            remedy="Both must name the pictures alike.",
        )


def write_captions(
    found: References,
    captioner: GroundedCaptioner,
    pictures: PictureFolder,
    language: str,
    report: Callable[[str], None],
) -> None:
    """Let a captioner write about every picture of the references, briefly."""
    files = list(found.told)
    for number, some in _decoded(found, files, pictures, None):

        def work(part: Sequence[tuple[str, RgbImage]]) -> None:
            told = captioner.caption([image for _, image in part], language=language)
            found.written |= {file: one.text for (file, _), one in zip(part, told, strict=True)}

        def leave_out(one: tuple[str, RgbImage], code: str, reason: str) -> None:
            found.skipped.append(_skipped(one[0], reason, code))

        in_parts(some, work, leave_out)
        report(f"{number} of {len(files)} pictures captioned")


def picture_cosines(found: References, encoder: Encoder, pictures: PictureFolder) -> list[float]:
    """Of each picture that can be read, the cosine with the caption that was written about it."""
    cosines: list[float] = []
    for _, some in _decoded(found, found.files, pictures, encoder.facts.preprocessing):
        images = encoder.encode_prepared(np.stack([image for _, image in some]))
        texts = encoder.encode_text([found.written[file] for file, _ in some])
        cosines += np.einsum("nd,nd->n", images, texts).tolist()
    return cosines


def _decoded(
    found: References, files: Sequence[str], pictures: PictureFolder, preprocessing: Preprocessing | None
) -> Iterator[tuple[int, list[tuple[str, RgbImage]]]]:
    """Pictures in small batches, each with how many were looked at; those that cannot be read are skipped."""
    safe = []
    for file in files:
        try:
            safe.append(inside(file, file))
        except ImportFormatError as error:
            found.skipped.append(_skipped(file, str(error)))
    waiting: list[tuple[str, RgbImage]] = []
    requests = (DecodeRequest(path=str(pictures.place / file), preprocessing=preprocessing) for file in safe)
    with DecoderPool(pictures.limits, pictures.workers) as pool:
        for number, answer in enumerate(pool.map(requests), start=1):
            file = safe[number - 1]
            if isinstance(answer, Refused) or answer.pixels is None:
                code, reason = (answer.code, answer.reason) if isinstance(answer, Refused) else ("empty", "no pixels")
                found.skipped.append(_skipped(file, reason, code))
            else:
                waiting.append((file, answer.pixels))
            if waiting and (len(waiting) == _PICTURES or number == len(safe)):
                yield number, waiting
                waiting = []


def _skipped(file: str, reason: str, code: str = "no_such_image") -> SkippedRecord:
    return SkippedRecord(file, code, reason)
