"""What a captioner can show of its own looking: patch tokens, and which patches each word was written from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vision.grounding.base import Decoding, Detail, GroundedCaption, GroundedCaptioner
from vision.types import RgbImage, Span

_WORD = re.compile(r"\S+")
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class PatchTokens:
    """What the vision tower makes of pictures, and what is handed to the language model. All float32.

    Attributes:
        patches: `(n, rows, columns, width)`, each vector of length 1, row by row from the upper left; for the released
            model 16 × 16 × 1024.
        overall: `(n, width)`, the class token, of length 1.
        positions: `(1 + rows · columns, width)`, the raw position embeddings, the class token's first.
        centres_xy: `(rows, columns, 2)`, the middles of the patches, normalised x and y of the upright picture.
        latents: `(n, image_tokens, text width)`, raw; the places in the text that hold the picture.
    """

    patches: NDArray[np.float32]
    overall: NDArray[np.float32]
    positions: NDArray[np.float32]
    centres_xy: NDArray[np.float32]
    latents: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AttentionMaps:
    """Which patches each word was written from, averaged over layers and heads.

    Attributes:
        text: the clean text.
        words: where each word stands in it, in order; in Chinese and Japanese every token is a word.
        heat: `(words, rows, columns)` float32, each map sums to 1; row by row from the upper left.
        off_picture: `(words,)` float32 in [0, 1], the share of the attention that went to text instead of the picture.
        off_patches: `(words,)` float32 in [0, 1], the share of what went to the picture that its latents took from the
            class token and from each other; it stands on no patch and is not in `heat`.
    """

    text: str
    words: tuple[Span, ...]
    heat: NDArray[np.float32]
    off_picture: NDArray[np.float32]
    off_patches: NDArray[np.float32]

    def heat_of(self, span: Span) -> NDArray[np.float32]:
        """The mean map of the words that a span touches, `(rows, columns)`; all 0 where it touches none."""
        touched = [number for number, word in enumerate(self.words) if word.start < span.end and span.start < word.end]
        mean: NDArray[np.float32] = self.heat[touched].mean(axis=0) if touched else np.zeros_like(self.heat[:0].sum(0))
        return mean


@dataclass(frozen=True, slots=True)
class ExplainedCaption:
    """A caption and where each of its words was looked up."""

    caption: GroundedCaption
    maps: AttentionMaps


@runtime_checkable
class SeeingCaptioner(GroundedCaptioner, Protocol):
    """A captioner whose looking can be seen."""

    def patch_tokens(self, images: Sequence[RgbImage]) -> PatchTokens:
        """Look at pictures and return what was seen."""

    def explain(
        self,
        images: Sequence[RgbImage],
        *,
        detail: Detail = "brief",
        language: str = "en",
        decoding: Decoding | None = None,
    ) -> list[ExplainedCaption]:
        """Describe each picture and say which patches each word was written from."""

    def attend(self, images: Sequence[RgbImage], texts: Sequence[str]) -> list[AttentionMaps]:
        """Say which patches each word of a given text would be written from, as a brief caption of its picture.

        Raises:
            PromptError: a text is empty, too long or holds a tag.
        """


def words_of(text: str, spans: Sequence[Span | None]) -> Iterator[tuple[Span, list[int]]]:
    """Group pieces into words.

    Args:
        text: the clean text.
        spans: for each piece the characters that it wrote, or None.

    Yields:
        A word's span, and the positions of its pieces; words that no piece wrote are left out.
    """
    for match in _WORD.finditer(text):
        pieces = [
            (number, span)
            for number, span in enumerate(spans)
            if span is not None and span.start < match.end() and match.start() < span.end
        ]
        if _UNSPACED.search(match[0]):
            yield from ((span, [number]) for number, span in pieces)
        elif pieces:
            yield Span(match.start(), match.end()), [number for number, _ in pieces]
