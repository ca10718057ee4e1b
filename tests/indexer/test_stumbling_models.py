"""A model that fails on one picture or text costs that one; a model that fails on all of them ends the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.caption import CaptionOptions, caption_library, caption_source
from indexer.importers import import_annotations
from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.colour import ColourEncoder
from vision.errors import ModelError
from vision.grounding.base import CaptionerFacts, GroundedCaption
from vision.grounding.errors import LanguageError
from vision.types import Box, Embeddings, Region, RgbImage, Span

Draw = Callable[..., Path]
OPTIONS = IndexOptions(decode_workers=1, batch_size=8)


def raising(vectors: Embeddings, bad: NDArray[np.bool_]) -> Embeddings:
    if bad.any():
        raise RuntimeError("index out of range in\0self")
    return vectors


def spoiled(value: float) -> Callable[[Embeddings, NDArray[np.bool_]], Embeddings]:
    def spoil(vectors: Embeddings, bad: NDArray[np.bool_]) -> Embeddings:
        vectors[bad] = value
        return vectors

    return spoil


STUMBLES = {"raises": raising, "nan": spoiled(np.nan), "inf": spoiled(np.inf), "zero": spoiled(0.0)}


class StumblingEncoder(ColourEncoder):
    """Fails on pictures that are blue at their upper left, and on texts that hold a word."""

    def __init__(self, stumble: str, word: str = "kelp") -> None:
        super().__init__()
        self._stumble = STUMBLES[stumble]
        self._word = word

    def encode_prepared(self, pixels: NDArray[np.uint8]) -> Embeddings:
        first = pixels[:, 0, 0].astype(int)
        return self._stumble(super().encode_prepared(pixels), (first[:, 2] > 250) & (first[:, 0] < 5))

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return self._stumble(super().encode_text(texts), np.array([self._word in text for text in texts], bool))


class BrokenEncoder(ColourEncoder):
    """Fails on everything."""

    def encode_prepared(self, pixels: NDArray[np.uint8]) -> Embeddings:
        raise ModelError("the weights are damaged")


@pytest.fixture
def seven(draw: Draw, pictures: Path) -> Path:
    for number, colour in enumerate(("red", "green", "blue", "white", "black", "gray", "pink"), start=40):
        draw(f"{colour}.png", colour, (number, 30))
    return pictures


@pytest.mark.parametrize("stumble", STUMBLES)
def test_a_picture_on_which_the_encoder_fails_is_refused_and_the_others_are_found(
    library: Library, seven: Path, stumble: str
) -> None:
    encoder = StumblingEncoder(stumble)
    report = index_paths(library, encoder, [seven], OPTIONS)
    assert report.embedded == 6
    ((refused),) = report.refused
    assert refused.path.endswith("blue.png")
    assert refused.reason.startswith("not_embedded: The encoder ")
    hits = SearchService(library, encoder).search(SearchRequest(text="red", k=100)).hits
    assert len(hits) == 6
    again = index_paths(library, encoder, [seven], OPTIONS)
    assert (again.embedded, again.unchanged, [file.earlier for file in again.refused]) == (0, 6, [True])
    better = index_paths(library, ColourEncoder(), [seven], replace(OPTIONS, retry_refused=True))
    assert (better.embedded, better.refused) == (1, [])
    assert verify(library).findings == []


def test_an_encoder_that_fails_on_everything_refuses_no_picture(library: Library, seven: Path) -> None:
    with pytest.raises(ModelError, match="weights"):
        index_paths(library, BrokenEncoder(), [seven], OPTIONS)
    report = index_paths(library, ColourEncoder(), [seven], OPTIONS)
    assert (report.embedded, report.refused) == (7, [])


@pytest.mark.parametrize("stumble", STUMBLES)
def test_a_text_on_which_the_encoder_fails_is_named_and_the_others_are_embedded(
    library: Library, seven: Path, tmp_path: Path, stumble: str
) -> None:
    encoder = StumblingEncoder(stumble)
    index_paths(library, encoder, [seven], OPTIONS)
    lines = tmp_path / "a.jsonl"
    captions = ", ".join(f'{{"text": "{word} in the sea"}}' for word in ("crab", "kelp", "kelp and crab", "shell"))
    lines.write_text(f'{{"file": "red.png", "captions": [{captions}]}}')
    report = import_annotations(library, encoder, [lines])
    assert (report.captions, report.texts_embedded) == (4, 2)
    assert [(skipped.code, "kelp" in skipped.where) for skipped in report.skipped] == [("not_embedded", True)] * 2
    again = index_paths(library, encoder, [seven], OPTIONS)
    assert (again.texts_embedded, len(again.texts_refused)) == (0, 2)
    assert index_paths(library, ColourEncoder(), [seven], OPTIONS).texts_embedded == 2
    assert verify(library).findings == []


class PlainCaptioner:
    """Says the same of every picture, but for those of one size."""

    def __init__(self, say: Callable[[RgbImage], GroundedCaption], **facts: Any) -> None:
        self._say = say
        plain = CaptionerFacts(
            name="plain", backend="plain", revision="1", precision="float32", image_px=24, grid=32, image_tokens=1,
            context_length=99, languages=("en",), preprocessing=ColourEncoder().facts.preprocessing,
            prompt_recipe="1", location="plain",
        )  # fmt: skip
        self.facts = replace(plain, **facts)

    def caption(self, images: Sequence[RgbImage], *, detail: str, language: str) -> list[GroundedCaption]:
        if language not in self.facts.languages:
            raise LanguageError(f"no {language}")
        return [self._say(image) for image in images]


def is_blue(image: RgbImage) -> bool:
    return bool(image[0, 0, 2] > 250 and image[0, 0, 0] < 5)


REGION = Region("A wall", Box(0, 0, 1, 1), Span(0, 6), 0.5)
PLAIN = GroundedCaption("A wall", (REGION,), 0, "en", -1.0, complete=True)

ODD_CAPTIONS = [
    # what is said of one picture; captions and regions that come of it, boxes dropped, words of the reason
    (replace(PLAIN, text="x" * 10_001), 0, 0, 0, "not_captioned: The captioner wrote 10,001 characters"),
    (replace(PLAIN, text=" \0\n "), 0, 0, 0, ""),
    (replace(PLAIN, text="A\0wall \ud800", regions=()), 1, 0, 0, ""),
    (replace(PLAIN, regions=(replace(REGION, span=Span(5, 99)),)), 1, 0, 1, ""),
    (replace(PLAIN, regions=(replace(REGION, box=Box(0, 0, 1e-9, 1)),)), 1, 0, 1, ""),
    (replace(PLAIN, regions=(replace(REGION, score=float("nan")),)), 1, 1, 0, ""),
    (replace(PLAIN, regions=(Region("\0", Box(0, 0, 1, 1)), Region("a\ud800", Box(0, 0, 1, 1)))), 1, 1, 1, ""),
    (replace(PLAIN, language="x" * 17), 1, 1, 0, ""),
]


@pytest.mark.parametrize(("said", "captions", "regions", "dropped", "reason"), ODD_CAPTIONS)
def test_an_odd_caption_costs_what_is_odd_in_it(
    library: Library, seven: Path, said: GroundedCaption, captions: int, regions: int, dropped: int, reason: str
) -> None:
    encoder = ColourEncoder()
    index_paths(library, encoder, [seven], OPTIONS)
    captioner = PlainCaptioner(lambda image: said if is_blue(image) else PLAIN, name="\udcff" * 60)
    report = caption_library(library, encoder, captioner, CaptionOptions(batch_size=4))
    assert (report.captioned, report.regions, report.dropped_boxes) == (6 + captions, 6 + regions, dropped)
    assert report.captioned + report.silent + len(report.refused) == 7
    assert "".join(file.reason for file in report.refused).startswith(reason)
    assert verify(library).findings == []
    service = SearchService(library, encoder)
    for hit in service.recent().hits:
        for caption in service.image(hit.image_id).captions:
            assert caption.source == caption_source(captioner.facts)


def test_a_picture_on_which_the_captioner_fails_is_listed_and_tried_again(library: Library, seven: Path) -> None:
    encoder = ColourEncoder()
    index_paths(library, encoder, [seven], OPTIONS)

    def say(image: RgbImage) -> GroundedCaption:
        if is_blue(image):
            raise IndexError("list index out of range")
        return PLAIN

    report = caption_library(library, encoder, PlainCaptioner(say), CaptionOptions(batch_size=4))
    assert report.captioned == 6
    assert [(Path(file.path).name, file.reason) for file in report.refused] == [
        ("blue.png", "not_captioned: The captioner fails on it: IndexError: list index out of range")
    ]
    again = caption_library(library, encoder, PlainCaptioner(lambda image: PLAIN), CaptionOptions(batch_size=4))
    assert (again.captioned, again.refused) == (1, [])


def test_a_captioner_that_fails_on_everything_ends_the_run(library: Library, seven: Path) -> None:
    encoder = ColourEncoder()
    index_paths(library, encoder, [seven], OPTIONS)

    def say(image: RgbImage) -> GroundedCaption:
        raise ModelError("the weights are damaged")

    with pytest.raises(ModelError, match="weights"):
        caption_library(library, encoder, PlainCaptioner(say))
    with pytest.raises(LanguageError):
        caption_library(library, encoder, PlainCaptioner(lambda image: PLAIN), CaptionOptions(language="tlh"))
