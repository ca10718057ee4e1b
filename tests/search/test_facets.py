"""Facets count what a library holds, and their tokens find what they count."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import update

from search.db.annotations import CaptionFact, add_annotations, texts_without_vector
from search.db.contents import get_or_create_images
from search.db.images import FileFact, ImageFact, record_file
from search.db.readings import add_reading
from search.db.roots import root_for
from search.db.schema import Caption, CaptionGeneration, Fact
from search.db.schema import Region as RegionRow
from search.errors import LibraryEmptyError, QueryError
from search.facet_values import filter_token, histogram, places
from search.facets import Facets
from search.library import Library
from search.query.language import parse
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region

BOX = Box(0.1, 0.1, 0.5, 0.5)
ROME, BESIDE = (41.9, 12.5), (41.905, 12.49)
PICTURES = [
    # colour, file, format, taken, minutes east, camera, place
    ("red", "Italy 2023/rome/a.jpg", "JPEG", datetime(2023, 5, 31, 23, 30, tzinfo=UTC), 120, "Canon EOS R5", ROME),
    ("green", "Italy 2023/b.jpg", "JPEG", datetime(2023, 6, 2, tzinfo=UTC), None, "Canon EOS R5 Mark II", BESIDE),
    ("blue", 'a "quoted" one/c.png', "PNG", datetime(2023, 9, 1, tzinfo=UTC), None, "CANON EOS R5", (-17.8, 179.99)),
    ("yellow", "d.webp", "WEBP", None, None, None, None),
]  # fmt: skip
COLOURS = {"red": (214, 39, 40), "green": (44, 140, 44), "blue": (40, 90, 200), "yellow": (250, 220, 30)}


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return ColourEncoder()


@pytest.fixture
def service(library: Library, encoder: Encoder) -> SearchService:
    """Four pictures with facts, phrases and a line of text, published."""
    vectors = encoder.encode_images([np.full((32, 32, 3), COLOURS[one[0]], np.uint8) for one in PICTURES])
    with library.exclusive():
        with library.write() as session:
            model = library.register_model(session, encoder.facts)
            library.activate_model(session, model)
            root = root_for(session, "/photos")
            ids = []
            for colour, path, kind, taken, offset, camera, place in PICTURES:
                sha256 = hashlib.sha256(colour.encode()).hexdigest()
                fact = ImageFact(sha256, 32, 24, kind, 10, taken, offset)
                ids.append(get_or_create_images(session, {sha256: fact})[0][sha256])
                record_file(session, FileFact(f"/photos/{path}", 10, 1, "1"), root.id, image_id=ids[-1])
                told = {"camera": camera} | dict(zip(("latitude", "longitude"), place or (), strict=False))
                for name, value in told.items():
                    text = value if isinstance(value, str) else None
                    number = None if text is not None or value is None else value
                    if value is not None:
                        key = text and text.casefold()
                        session.add(Fact(image_id=ids[-1], name=name, text=text, key=key, number=number, source="exif"))  # type: ignore[misc]
            library.vectors.append(session, model, "image", ids, vectors)
            _annotate(session, ids)
            session.flush()
            texts = texts_without_vector(session, model.id, 100)
            library.vectors.append(
                session, model, "text", [one for one, _ in texts], encoder.encode_text([body for _, body in texts])
            )
            model_id = model.id
        library.publish(model_id)
    return SearchService(library, encoder)


def _annotate(session, ids: list[int]) -> None:  # type: ignore[no-untyped-def]
    dogs = [Region("a dog", BOX), Region("The dog", Box(0.5, 0.5, 1, 1))]
    add_annotations(session, ids[0], [CaptionFact("A dog beside a red wall.", "en")], dogs, "import")
    add_annotations(session, ids[1], [], [Region("the dog", BOX), Region("green grass", BOX)], "import")
    add_annotations(session, ids[2], [CaptionFact("a dog", "en")], [], "talker")
    add_reading(session, ids[3], [Region("a dog", BOX)], "reader")


def counted(facets: Facets, name: str) -> dict[str, int]:
    return {value.token: value.count for one in facets.facets if one.name == name for value in one.values}


def test_the_whole_library_is_counted(service: SearchService) -> None:
    facets = service.facets()
    assert (facets.images, facets.of) == (4, "library")
    assert counted(facets, "phrase") == {'"dog"': 3, '"green grass"': 1}
    assert counted(facets, "folder") == {
        "folder:photos": 4, 'folder:"photos/Italy 2023"': 2, 'folder:"photos/Italy 2023/rome"': 1,
        'folder:"photos/a quoted one"': 1,
    }  # fmt: skip
    assert counted(facets, "date") == {"date:2023-06": 2, "date:2023-07": 0, "date:2023-08": 0, "date:2023-09": 1}
    assert counted(facets, "camera") == {'camera:"Canon EOS R5 Mark II"': 1} | {
        token: 3 for token in counted(facets, "camera") if token.casefold() == 'camera:"canon eos r5"'
    }
    assert counted(facets, "format") == {"format:jpeg": 2, "format:png": 1, "format:webp": 1}
    assert counted(facets, "source") == {"source:import": 2, "source:reader": 1, "source:talker": 1}
    assert counted(facets, "has") == {"has:boxes": 2, "has:captions": 2, "has:gps": 3, "has:text": 1}
    assert sorted(counted(facets, "place").values()) == [1, 2]


def test_a_token_finds_as_many_as_were_counted(service: SearchService) -> None:
    for facet in service.facets().facets:
        for value in facet.values:
            found = service.facets(SearchRequest(text=value.token))
            if value.at_least:
                assert value.count <= len(service.search(SearchRequest(text=value.token)).hits), value
            else:
                assert (found.of, found.images) == ("filters", value.count), value
            assert parse(f"dog {value.token}").root is not None


def test_a_query_of_filters_counts_what_fulfils_them(service: SearchService) -> None:
    facets = service.facets(SearchRequest(text="format:jpeg -folder:rome"))
    assert (facets.images, facets.of) == (1, "filters")
    assert counted(facets, "phrase") == {'"dog"': 1, '"green grass"': 1}
    assert counted(facets, "date") == {"date:2023-06": 1}
    either = service.facets(SearchRequest(text="format:png OR format:webp"))
    assert counted(either, "format") == {"format:png": 1, "format:webp": 1}
    assert service.facets(SearchRequest(text="format:gif")).facets == ()


def test_a_query_of_words_counts_its_likely_hits(service: SearchService) -> None:
    request = SearchRequest(text="red")
    facets = service.facets(request)
    assert facets.of == "likely"
    assert facets.images == service.search(request).likely
    assert 0 < facets.images < 4
    like = service.facets(SearchRequest(like_image_id=1))
    assert (like.of, like.images) == ("nearest", 3)


def test_captions_that_rest_are_not_counted(service: SearchService, library: Library) -> None:
    with library.write() as session:
        add_annotations(session, 4, [], [Region("a hat", BOX)], "talker")
        resting = CaptionGeneration(source="talker", language="en", resting=True, token=7, started_at=datetime.now(UTC))
        session.add(resting)
        session.flush()
        for table in (Caption, RegionRow):
            session.execute(update(table).where(table.source == "talker").values(generation_id=resting.id))
    facets = service.facets()
    assert '"hat"' not in counted(facets, "phrase")
    assert "source:talker" not in counted(facets, "source")


def test_nothing_indexed_and_a_wrong_filter_are_said(library: Library, encoder: Encoder) -> None:
    with pytest.raises(LibraryEmptyError):
        SearchService(library, encoder).facets()
    with pytest.raises(QueryError, match="iso:x is no number"):
        SearchService(library, encoder).facets(SearchRequest(text="iso:x"))


def test_bars_grow_with_the_span() -> None:
    assert histogram({(2023, 1): 1}).step == "month"
    assert [value.token for value in histogram({(2019, 12): 1, (2023, 1): 2}).values] == [
        "date:2019", "date:2020", "date:2021", "date:2022", "date:2023",
    ]  # fmt: skip
    assert histogram({(1900, 1): 1, (2024, 1): 1}).values[0].token == "date:1900..1909"
    widest = histogram({(1, 1): 1, (9999, 12): 1})
    assert (widest.step, widest.values[0].token, widest.values[-1].token) == (
        "century", "date:0001..0099", "date:9900..9999",
    )  # fmt: skip
    for value in (*widest.values, *histogram({(1, 1): 1, (500, 12): 1}).values):
        assert parse(value.token).root is not None


def test_circles_cover_what_was_taken_in_one_town_and_in_many_countries() -> None:
    town = places(np.array([[48.85, 2.35, 1.0], [48.85, 2.35, 1.0], [48.851, 2.351, 2.0], [48.85, 2.35, 3.0]]))
    assert [(place.token, place.count) for place in town] == [("near:48.8502,2.3502,1km", 3)]
    wide = [(north, east) for north in range(-60, 61, 3) for east in range(-180, 180, 3)]
    assert len(places(np.array([(*one, number) for number, one in enumerate(wide)], float))) == 12
    assert places(np.empty((0, 3))) == ()
    line = places(np.array([[10.0, 179.999, 1], [10.0, 179.999, 2], [10.0, -179.999, 3]]))
    assert [(place.token, place.count) for place in line] == [("near:10,179.999,1km", 3)]


def test_any_value_is_a_token_that_can_be_read() -> None:
    for value in ("Canon", "EOS 90D", 'a "b" c', "-x", "(y)", "^2", "*", "été", "汉字", "a/b c", "OR"):
        (token,) = parse(filter_token("tag", value)).tokens
        assert token.kind == "filter"
