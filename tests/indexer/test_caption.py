"""`caption` over a real library, with a small Kosmos-2 of the real architecture: random words, real boxes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.caption import CaptionOptions, caption_library, caption_source
from indexer.pipeline import IndexOptions, index_paths
from search.captioning import use_generations
from search.errors import LibraryEmptyError
from search.library import Library
from search.maintenance import verify
from search.service import SearchService
from tests.vision.grounding.conftest import save_captioner
from vision.encoders.base import Encoder
from vision.grounding.base import GroundedCaptioner
from vision.grounding.errors import LanguageError
from vision.grounding.kosmos2 import Kosmos2Captioner

Draw = Callable[..., Path]
TWO_AT_A_TIME = CaptionOptions(batch_size=2)


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> GroundedCaptioner:
    return Kosmos2Captioner(save_captioner(tmp_path_factory.mktemp("captioner")), name="tiny", threads=1)


@pytest.fixture
def indexed(library: Library, encoder: Encoder, draw: Draw, pictures: Path) -> Library:
    for number, colour in enumerate(("red", "green", "blue"), start=40):
        draw(f"{colour}.png", colour, (number, 30))
    index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1))
    return library


def test_every_picture_gets_one_caption_whose_spans_and_boxes_hold(
    indexed: Library, encoder: Encoder, captioner: GroundedCaptioner
) -> None:
    report = caption_library(indexed, encoder, captioner, TWO_AT_A_TIME)
    assert report.captioned + report.silent == 3
    assert report.captioned > 0
    service = SearchService(indexed, encoder)
    for hit in service.recent().hits:
        for caption in service.image(hit.image_id).captions:
            assert (caption.source, caption.language) == (caption_source(captioner.facts), "en")
            for region in caption.regions:
                assert region.span is not None
                assert caption.text[region.span.start : region.span.end] == region.phrase
    assert verify(indexed).findings == []


def test_a_second_run_captions_only_what_is_new(
    indexed: Library, encoder: Encoder, captioner: GroundedCaptioner, draw: Draw, pictures: Path
) -> None:
    first = caption_library(indexed, encoder, captioner, TWO_AT_A_TIME)
    draw("new.png", "yellow", (60, 30))
    index_paths(indexed, encoder, [pictures], IndexOptions(decode_workers=1))
    second = caption_library(indexed, encoder, captioner, TWO_AT_A_TIME)
    assert second.captioned + second.silent == 1 + first.silent


def test_a_file_that_turned_bad_is_listed_and_the_others_go_on(
    indexed: Library, encoder: Encoder, captioner: GroundedCaptioner, pictures: Path
) -> None:
    (pictures / "red.png").write_bytes(b"\x89PNG\r\n\x1a\n rotten")
    report = caption_library(indexed, encoder, captioner, TWO_AT_A_TIME)
    assert [Path(file.path).name for file in report.refused] == ["red.png"]
    assert report.captioned + report.silent == 2


def test_a_language_it_does_not_write_is_an_error(
    indexed: Library, encoder: Encoder, captioner: GroundedCaptioner
) -> None:
    with pytest.raises(LanguageError):
        caption_library(indexed, encoder, captioner, CaptionOptions(language="tlh"))


def test_an_empty_library_says_what_to_do_first(
    library: Library, encoder: Encoder, captioner: GroundedCaptioner
) -> None:
    with pytest.raises(LibraryEmptyError):
        caption_library(library, encoder, captioner)


def test_another_detail_is_a_generation_beside_the_first_and_goes_on_at_rest(
    indexed: Library, encoder: Encoder, captioner: GroundedCaptioner, draw: Draw, pictures: Path
) -> None:
    first = caption_library(indexed, encoder, captioner, TWO_AT_A_TIME)
    second = caption_library(indexed, encoder, captioner, CaptionOptions(detail="detailed", batch_size=2))
    assert first.generation is not None
    assert second.generation is not None
    assert (first.generation.detail, second.generation.detail) == ("brief", "detailed")
    assert second.captioned == second.generation.images > 0
    use_generations(indexed, [first.generation.source])
    service = SearchService(indexed, encoder)
    sources = {caption.source for hit in service.recent().hits for caption in service.image(hit.image_id).captions}
    assert sources == {first.generation.source}
    draw("new.png", "yellow", (60, 30))
    index_paths(indexed, encoder, [pictures], IndexOptions(decode_workers=1))
    third = caption_library(indexed, encoder, captioner, CaptionOptions(detail="detailed", batch_size=2))
    assert third.generation is not None
    assert third.generation.resting
    assert (third.generation.images, third.generation.of_images) == (4 - third.silent, 4)
    assert verify(indexed).findings == []
