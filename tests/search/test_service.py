"""`SearchService` over a real library: text, picture, paging, explanation, refusal."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event

from search.db.annotations import CaptionFact, add_annotations, texts_without_vector
from search.db.contents import get_or_create_images
from search.db.images import FileFact, ImageFact, mark_state, record_file
from search.db.roots import root_for
from search.errors import LibraryEmptyError, ModelMismatchError, NotFoundError, QueryError
from search.library import Library
from search.query.tree import Like, Words
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region, RgbImage, Span

COLOURS = {
    "red": (214, 39, 40),
    "green": (44, 140, 44),
    "blue": (40, 90, 200),
    "yellow": (250, 220, 30),
    "black": (0, 0, 0),
    "white": (255, 255, 255),
}
LEFT = Box(0.0, 0.0, 0.5, 1.0)


def plain(colour: str) -> RgbImage:
    return np.full((32, 32, 3), COLOURS[colour], np.uint8)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return ColourEncoder()


@pytest.fixture
def filled(library: Library, encoder: Encoder) -> Library:
    """One picture per colour, published; ids in the order of COLOURS."""
    vectors = encoder.encode_images([plain(colour) for colour in COLOURS])
    with library.exclusive():
        with library.write() as session:
            model = library.register_model(session, encoder.facts)
            library.activate_model(session, model)
            root = root_for(session, "/pictures")
            ids = []
            for colour in COLOURS:
                sha256 = hashlib.sha256(colour.encode()).hexdigest()
                ids.append(
                    get_or_create_images(session, {sha256: ImageFact(sha256, 32, 24, "PNG", 10, None)})[0][sha256]
                )
                file = FileFact(f"/pictures/{colour}.png", 10, 1, "1")
                record_file(session, file, root.id, image_id=ids[-1])
            library.vectors.append(session, model, "image", ids, vectors)
            model_id = model.id
        library.vectors.publish(model_id, "image")
    return library


def annotate(library: Library, encoder: Encoder, name: str, caption: CaptionFact, *loose: Region) -> int:
    with library.exclusive():
        with library.write() as session:
            model = library.check_model(session, encoder.facts)
            image_id = SearchService(library, encoder).search(SearchRequest(text=name, k=1)).hits[0].image_id
            add_annotations(session, image_id, [caption], loose, "import")
            model_id = model.id
        with library.write() as session:
            texts = texts_without_vector(session, model_id, 100)
            vectors = encoder.encode_text([body for _, body in texts])
            library.vectors.append(
                session, library.check_model(session, encoder.facts), "text", [text_id for text_id, _ in texts], vectors
            )
        library.vectors.publish(model_id, "text")
    return image_id


def names(service: SearchService, **request: object) -> list[str]:
    hits = service.search(SearchRequest(**request)).hits  # type: ignore[arg-type]  # a test's shorthand
    return [Path(hit.path).stem for hit in hits]


def test_words_find_the_picture_and_scores_fall(filled: Library, encoder: Encoder) -> None:
    result = SearchService(filled, encoder).search(SearchRequest(text="  blue "))
    assert Path(result.hits[0].path).stem == "blue"
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)
    assert [hit.rank for hit in result.hits] == [1, 2, 3, 4, 5, 6]
    assert (result.query, result.images_searched, result.more, result.model) == ("blue", 6, False, "colour")
    assert result.hits[0].score == pytest.approx(sum(result.hits[0].parts.values()))
    bare = SearchService(filled, encoder).search(SearchRequest(text="blue", annotations=False)).hits[0]
    assert bare.parts == {"image": bare.score}
    assert -1 <= bare.score <= 1


def test_a_picture_finds_its_like(filled: Library, encoder: Encoder) -> None:
    service = SearchService(filled, encoder)
    assert names(service, pictures=(plain("green"),), k=1) == ["green"]
    assert service.search(SearchRequest(pictures=(plain("green"),), k=1)).hits[0].score == pytest.approx(1.0, abs=1e-3)


def test_a_picture_of_the_library_finds_others_but_not_itself(filled: Library, encoder: Encoder) -> None:
    service = SearchService(filled, encoder)
    green = service.search(SearchRequest(text="green", k=1)).hits[0].image_id
    found = names(service, like_image_id=green)
    assert "green" not in found
    assert len(found) == 5


def test_pages_follow_each_other_without_gap_or_repeat(filled: Library, encoder: Encoder) -> None:
    service = SearchService(filled, encoder)
    whole = names(service, text="red")
    pages = [service.search(SearchRequest(text="red", k=2, offset=offset)) for offset in (0, 2, 4, 6)]
    assert [Path(hit.path).stem for page in pages for hit in page.hits] == whole
    assert [page.more for page in pages] == [True, True, False, False]
    assert pages[1].hits[0].rank == 3


def test_a_missing_file_leaves_the_results_before_the_next_publication(filled: Library, encoder: Encoder) -> None:
    service = SearchService(filled, encoder)
    with filled.write() as session:
        mark_state(session, [service_file_id(session, "/pictures/blue.png")], "missing")
    assert "blue" not in names(service, text="blue")


def service_file_id(session: object, path: str) -> int:
    from search.db.images import files_at

    return files_at(session, [path], 1)[path].file_id  # type: ignore[arg-type]  # the caller's session


def test_only_the_boxes_that_explain_the_query_are_shown(filled: Library, encoder: Encoder) -> None:
    caption = CaptionFact("black dog", "en", (Region("black dog", LEFT, Span(0, 9), 0.9),))
    image_id = annotate(filled, encoder, "white", caption, Region("yellow ball", Box(0.6, 0.6, 0.9, 0.9)))
    service = SearchService(filled, encoder)
    by_id = {hit.image_id: hit for hit in service.search(SearchRequest(text="black dog")).hits}
    hit = by_id[image_id]
    assert [(region.phrase, region.box) for region in hit.regions] == [("black dog", LEFT)]
    assert hit.caption is not None
    assert hit.caption.text == "black dog"
    assert hit.parts["words"] > 0
    assert (hit.likely, hit.regions[0].answers) == (True, "black dog")
    assert hit.score == pytest.approx(sum(hit.parts.values()))
    assert all(not other.regions for other in by_id.values() if other.image_id != image_id)
    bare = service.search(SearchRequest(text="black dog", annotations=False))
    assert all(hit.parts.keys() == {"image"} and not hit.regions for hit in bare.hits)


def test_one_picture_is_shown_with_everything_on_it(filled: Library, encoder: Encoder) -> None:
    caption = CaptionFact("black dog", "en", (Region("black dog", LEFT, Span(0, 9), 0.9),))
    image_id = annotate(filled, encoder, "white", caption, Region("yellow ball", LEFT))
    detail = SearchService(filled, encoder).image(image_id)
    assert (detail.width_px, detail.height_px, detail.files[0].path) == (32, 24, "/pictures/white.png")
    (shown,) = detail.captions
    assert (shown.regions[0].span, shown.regions[0].score) == (Span(0, 9), 0.9)
    assert [region.phrase for region in detail.regions] == ["yellow ball"]


def test_the_newest_pictures_come_first(filled: Library, encoder: Encoder) -> None:
    recent = SearchService(filled, encoder).recent(k=4)
    assert [Path(hit.path).stem for hit in recent.hits] == ["white", "black", "yellow", "blue"]
    assert recent.more


def test_counts_are_told_of_an_empty_library_too(library: Library, encoder: Encoder) -> None:
    status = SearchService(library, encoder).status()
    assert (status.images, status.model, status.published) == (0, None, {})


def test_counts_are_told(filled: Library, encoder: Encoder) -> None:
    status = SearchService(filled, encoder).status()
    assert (status.images, status.files_indexed, status.published) == (6, 6, {"image": 6})


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (SearchRequest(), QueryError),
        (SearchRequest(text="red", tree=Words("red")), QueryError),
        (SearchRequest(text="red colour:blue"), QueryError),
        (SearchRequest(tree=Like("region", 4242)), NotFoundError),
        (SearchRequest(text=""), QueryError),
        (SearchRequest(text="red", k=0), QueryError),
        (SearchRequest(text="red", offset=-1), QueryError),
        (SearchRequest(like_image_id=4242), NotFoundError),
    ],
)
def test_a_malformed_request_is_refused(
    filled: Library, encoder: Encoder, request_: SearchRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        SearchService(filled, encoder).search(request_)


def test_an_unknown_picture_is_not_found(filled: Library, encoder: Encoder) -> None:
    with pytest.raises(NotFoundError):
        SearchService(filled, encoder).image(4242)


def test_an_empty_library_says_what_to_do(library: Library, encoder: Encoder) -> None:
    with pytest.raises(LibraryEmptyError, match="deixis index"):
        SearchService(library, encoder).search(SearchRequest(text="red"))


def test_the_encoder_is_loaded_from_where_the_library_remembers_it(filled: Library) -> None:
    service = SearchService(filled)
    ready = service.warm()
    assert ready.images == service.status().images
    assert ready.published == service.status().published
    assert names(service, text="yellow", k=1) == ["yellow"]


def test_being_ready_is_told_without_looking_through_a_table(filled: Library) -> None:
    if filled.database.engine.dialect.name != "sqlite":
        pytest.skip("Postgres looks through a table of six rows, however it is asked")
    service, seen = SearchService(filled), list[tuple[str, Any]]()
    service.warm()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(filled.database.engine, "before_cursor_execute", note)
    service.warm()
    event.remove(filled.database.engine, "before_cursor_execute", note)
    asked = [(f"EXPLAIN QUERY PLAN {one}", given) for one, given in seen if one.startswith("SELECT")]
    with filled.read() as session:
        connection = session.connection()
        steps = [str(row[-1]) for one, given in asked for row in connection.exec_driver_sql(one, given)]
    assert steps
    assert [step for step in steps if re.match(rf"SCAN ({'|'.join(LARGE)})\b", step)] == []


LARGE = ("images", "files", "captions", "regions", "texts", "embeddings")
"""Tables that grow with the library."""


class OtherEncoder(ColourEncoder):
    """The same vectors under another identity."""

    @property
    def facts(self) -> object:  # type: ignore[override]  # only the identity matters here
        from dataclasses import replace

        return replace(super().facts, revision="2")


def test_an_encoder_of_another_identity_is_refused(filled: Library) -> None:
    with pytest.raises(ModelMismatchError, match="revision"):
        SearchService(filled, OtherEncoder()).search(SearchRequest(text="red"))  # type: ignore[arg-type]


def test_times_are_aware(filled: Library) -> None:
    from sqlalchemy import select

    from search.db.schema import Image

    with filled.read() as session:
        created = session.scalars(select(Image.created_at)).first()
    assert created is not None
    assert created.tzinfo is not None
    assert abs((datetime.now(UTC) - created).total_seconds()) < 3600
