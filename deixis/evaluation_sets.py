"""What encoders are compared on: drawn scenes, or captions over somebody's pictures; read once, asked of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from indexer.annotations.reading import read_annotations
from search.errors import ImportFormatError
from search.evaluation.retrieval import image_to_text, text_to_image
from storybook.evaluate_encoder import Drawn, draw_scenes, evaluate_on
from storybook.language import LANGUAGES
from vision.decoder.contract import Refused
from vision.encoders.base import Encoder
from vision.images import DecodeLimits, DecodeRequest, DecoderPool
from vision.preprocessing import Preprocessing
from vision.types import RgbImage

Figures: TypeAlias = dict[str, float]
"""Name → per cent; higher is better."""

Evaluate: TypeAlias = Callable[[Encoder], Figures]

# Of the storybook's evaluation: retrieval by long captions, in every language, by short ones, and naming.
_STORYBOOK = ("r1", *(f"r10_{language}" for language in LANGUAGES), "brief_r1", "brief_r10", "zero_shot_kind")


def on_scenes(scenes: int) -> Evaluate:
    """The storybook's figures on so many drawn test scenes, and as many of one thing each, drawn at the first call."""
    drawn: dict[Preprocessing, tuple[Drawn, Drawn]] = {}

    def evaluate(encoder: Encoder) -> Figures:
        prepared = encoder.facts.preprocessing
        if prepared not in drawn:
            drawn[prepared] = (draw_scenes(prepared, scenes), draw_scenes(prepared, scenes, single=True))
        figures = evaluate_on(encoder, *drawn[prepared])
        return {name: figures[name] for name in _STORYBOOK}

    return evaluate


@dataclass(slots=True)
class CaptionedPictures:
    """Pictures in memory, prepared for one encoder, with their captions.

    Attributes:
        images: `(height, width, 3)` uint8 RGB each, prepared.
        texts: every caption.
        owners: for each caption the number of its picture.
        left_out: pictures and records that could not be read, each with its reason.
    """

    images: list[RgbImage] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def evaluate(self, encoder: Encoder) -> Figures:
        """Text→image and image→text R@1, R@5 and R@10."""
        images, texts = encoder.encode_prepared(np.stack(self.images)), encoder.encode_text(self.texts)
        figures: Figures = {}
        for direction, measure in (("t2i", text_to_image), ("i2t", image_to_text)):
            found = measure(texts, images, self.owners)
            figures |= {f"{direction}_r{k}": value for k, value in found.recall_at.items()}
        return figures


def read_captioned_pictures(
    captions: Path, pictures: Path, preprocessing: Preprocessing, limits: DecodeLimits, workers: int
) -> CaptionedPictures:
    """Read a captions file and the pictures that it names.

    Args:
        captions: COCO captions, or Deixis JSON lines.
        pictures: the folder in which the files lie by the names that the captions give.
        preprocessing: of the encoders that are compared.
        limits: what one picture may cost.
        workers: processes that decode.

    Raises:
        ImportFormatError: it is no such file, or none of its pictures can be read.
    """
    annotations = read_annotations(captions)
    found = CaptionedPictures(left_out=[f"{record.where}: {record.reason}" for record in annotations.skipped])
    records = [record for record in annotations.pictures.values() if record.captions]
    with DecoderPool(limits, workers) as pool:
        requests = (DecodeRequest(path=str(pictures / record.file), preprocessing=preprocessing) for record in records)
        for record, answer in zip(records, pool.map(requests), strict=True):
            if isinstance(answer, Refused) or answer.pixels is None:
                reason = answer.reason if isinstance(answer, Refused) else "no pixels"
                found.left_out.append(f"{record.file}: {reason}")
                continue
            found.owners += [len(found.images)] * len(record.captions)
            found.texts += [caption.text for caption in record.captions]
            found.images.append(answer.pixels)
    if not found.images:
        raise ImportFormatError(
            f"{captions}: none of its pictures can be read from {pictures}", remedy="Give their folder with --pictures."
        )
    return found
