"""Text that was read in a picture stands apart on its page, harmless and selectable, and in the API with its boxes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image as Pictures
from sqlalchemy import select
from starlette.testclient import TestClient

from indexer.embed_texts import embed_texts
from indexer.pipeline import index_paths
from indexer.report import silent
from indexer.writer import Writer
from search.db.annotations import CaptionFact, add_annotations
from search.db.readings import add_reading
from search.db.schema import Image
from search.library import Library
from search.publishing import publish
from search.settings import Settings
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region
from web.app import create_app

HOSTILE = "<script>alert(1)</script> SALE"
READER = "rapidocr:0123456789ab"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A library of one picture with a caption, a box and three lines."""
    folder = tmp_path_factory.mktemp("lines")
    Pictures.new("RGB", (200, 100), "red").save(folder / "sign.png")
    encoder = ColourEncoder()
    with Library.open(folder / "home", create=True) as library:
        index_paths(library, encoder, [folder / "sign.png"])
        with library.write() as session:
            image_id = session.scalars(select(Image.id)).one()
            add_annotations(
                session, image_id, [CaptionFact("a red board")], [Region("board", Box(0, 0, 1, 1))], "import"
            )
            boxes = [Box(0.1, top, 0.8, top + 0.1) for top in (0.1, 0.3, 0.5)]
            texts = ("No parking", HOSTILE, "ausgang")
            lines = [Region(text, box, None, 0.9) for text, box in zip(texts, boxes, strict=True)]
            add_reading(session, image_id, lines, READER)
            model = library.check_model(session, encoder.facts)
            session.expunge(model)
        with library.exclusive():
            embed_texts(library, model, Writer(library, model, encoder), silent, [])
            publish(library, model.id, ("text",))
    with TestClient(create_app(Settings(home=folder / "home", threads=1)), base_url="http://localhost") as client:
        yield client


def test_the_page_of_a_picture_shows_what_is_written_there_apart(client: TestClient) -> None:
    page = client.get("/images/1", headers={"accept": "text/html"}).text
    section = page.partition("Text in the picture")[2].partition("</section>")[0]
    assert section.index("No parking") < section.index("SALE") < section.index("ausgang")
    assert "<script" not in section
    where = page.partition('id="regions"')[2].partition("</section>")[0]
    assert "board" in where
    assert "No parking" not in where


def test_the_api_tells_lines_from_regions(client: TestClient) -> None:
    answer = client.get("/api/v1/images/1").json()
    assert [region["phrase"] for region in answer["regions"]] == ["board"]
    assert [(line["phrase"], line["source"], line["score"]) for line in answer["lines"]] == [
        ("No parking", READER, 0.9),
        (HOSTILE, READER, 0.9),
        ("ausgang", READER, 0.9),
    ]
    assert answer["lines"][0]["box"] == {"x0": 0.1, "y0": 0.1, "x1": 0.8, "y1": 0.2}


@pytest.mark.parametrize("query", ["text:parkinq", "parking", '"no parking"'])
def test_a_hit_has_the_line_that_answers(client: TestClient, query: str) -> None:
    (hit,) = client.get("/api/v1/search", params={"q": query}).json()["hits"]
    (line,) = [region for region in hit["regions"] if region["is_read"]]
    assert (line["phrase"], line["box"]["x0"]) == ("No parking", 0.1)
    page = client.get("/search", params={"q": query}, headers={"accept": "text/html"}).text
    assert "No parking" in page


def test_a_tree_may_ask_for_text_as_well(client: TestClient) -> None:
    found = client.post("/api/v1/query", json={"tree": {"filter": "text", "value": "ausgnag"}}).json()
    assert [hit["image_id"] for hit in found["hits"]] == [1]
