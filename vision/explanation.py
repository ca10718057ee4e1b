"""Where in a picture the words of a text are: the captioner's attention or the encoder's similarity, in one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vision.encoders.base import Encoder
from vision.errors import ModelError
from vision.grounding.base import Detail, GroundedCaptioner
from vision.grounding.seeing import AttentionMaps, SeeingCaptioner
from vision.localize import heat_maps
from vision.overlay_images import WHOLE_PICTURE, HeatScale, scale_from_middle, scale_from_zero
from vision.types import Box, RgbImage, Span


@dataclass(frozen=True, slots=True, eq=False)
class WordHeat:
    """One word or phrase and its map.

    Attributes:
        text: as it stands in the explanation's text.
        span: where it stands there.
        heat: `(rows, columns)` float32, row by row from the upper left.
        scale: which of its values mean nothing and which mean most.
        off_picture: share of the attention that went to text instead of the picture; None for similarity.
        off_patches: share of what went to the picture that stands on no patch; None for similarity.
    """

    text: str
    span: Span
    heat: NDArray[np.float32]
    scale: HeatScale
    off_picture: float | None = None
    off_patches: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """A text about a picture with a map for each of its parts.

    Attributes:
        kind: `attention`: which patches a captioner wrote each word from, every map a share that sums to 1;
            `similarity`: the cosine of each patch with the words, after a dual encoder.
        text: the caption, or the query.
        model: name of the captioner or encoder.
        covers: the part of the picture that the maps were made of.
        words: in the order of the text; of a query first the whole of it.
    """

    kind: Literal["attention", "similarity"]
    text: str
    model: str
    covers: Box
    words: tuple[WordHeat, ...]


def explain_caption(
    captioner: GroundedCaptioner, image: RgbImage, *, detail: Detail = "brief", language: str | None = None
) -> Explanation:
    """Let a captioner describe a picture and say where it looked for each word.

    Args:
        captioner: one that can show its looking.
        image: HWC uint8 RGB, upright.
        detail: how much to tell.
        language: ISO 639-1 code; the captioner's first one when None.

    Raises:
        LanguageError: the captioner was not taught this language.
        ModelError: it cannot show its looking.
    """
    seeing = _seeing(captioner)
    told = seeing.explain([image], detail=detail, language=language or seeing.facts.languages[0])
    return _of_attention(told[0].maps, seeing.facts.name)


def explain_text(captioner: GroundedCaptioner, image: RgbImage, text: str) -> Explanation:
    """Say where a captioner would look for each word of a given text, were it the picture's caption.

    Raises:
        PromptError: the text is empty, too long or holds a tag.
        ModelError: the captioner cannot show its looking.
    """
    seeing = _seeing(captioner)
    return _of_attention(seeing.attend([image], [text])[0], seeing.facts.name)


def explain_query(encoder: Encoder, image: RgbImage, query: str, parts: Sequence[Span] = ()) -> Explanation:
    """Say where a dual encoder finds a query and parts of it.

    Args:
        encoder: one that can compare patches with words.
        image: HWC uint8 RGB, upright.
        query: one sentence, not empty.
        parts: where the parts stand in it; none of them empty.

    Raises:
        NoHeatMapError: the encoder cannot compare patches with words.
    """
    spans = (Span(0, len(query)), *parts)
    maps = heat_maps(encoder, image, [query[span.start : span.end] for span in spans])
    words = tuple(
        WordHeat(text, span, heat, scale_from_middle(heat))
        for text, span, heat in zip(maps.texts, spans, maps.maps, strict=True)
    )
    return Explanation("similarity", query, encoder.facts.name, maps.covers, words)


def _of_attention(maps: AttentionMaps, model: str) -> Explanation:
    words = tuple(
        WordHeat(
            text=maps.text[span.start : span.end],
            span=span,
            heat=maps.heat[number],
            scale=scale_from_zero(maps.heat[number]),
            off_picture=float(maps.off_picture[number]),
            off_patches=float(maps.off_patches[number]),
        )
        for number, span in enumerate(maps.words)
    )
    # A captioner squashes the whole picture into its square: nothing is cut off.
    return Explanation("attention", maps.text, model, WHOLE_PICTURE, words)


def _seeing(captioner: GroundedCaptioner) -> SeeingCaptioner:
    if not isinstance(captioner, SeeingCaptioner):
        raise ModelError(
            f"{captioner.facts.name} cannot show where it looks", remedy="Use kosmos2 or storybook-captioner for this."
        )
    return captioner
