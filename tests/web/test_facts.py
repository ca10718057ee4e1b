"""What a picture carries is on its page and in the API, with who says so, and leads to more like it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image as Pictures
from starlette.testclient import TestClient

from indexer.pipeline import index_paths
from search.library import Library
from search.results import FactInfo
from search.settings import Settings
from tests.vision.carried.packets import KEYWORDS, MICROSOFT, TITLE, xmp
from tests.web.test_pages import Page, assert_inert
from vision.encoders.colour import ColourEncoder
from web.app import create_app
from web.shown_facts import shown_facts

HOSTILE = "&lt;script&gt;alert(7)&lt;/script&gt;"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder, home = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("home")
    exif = Pictures.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS 90D"
    exif.get_ifd(0x8769).update({0x829A: 0.004, 0x829D: 2.8, 0x8827: 3200, 0x920A: 50.0})
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 36.0), 3: "E", 4: (151.0, 12.0, 0.0), 6: 12.4})
    packet = xmp(TITLE, KEYWORDS.replace("quokka", HOSTILE), MICROSOFT, attributes='xmp:Rating="4"')
    Pictures.new("RGB", (64, 48), "red").save(folder / "a.jpg", exif=exif, xmp=packet)
    with Library.open(home, create=True) as library:
        index_paths(library, ColourEncoder(), [folder])
    settings = Settings(home=home, threads=1, decode_workers=1)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        yield client


def test_the_api_tells_facts_with_their_sources(client: TestClient) -> None:
    facts = client.get("/api/v1/images/1").json()["facts"]
    assert {"name": "focal", "text": None, "number": 50.0, "source": "exif"} in facts
    assert {"name": "person", "text": "Bo", "number": None, "source": "xmp"} in facts
    assert {"name": "rating", "text": None, "number": 4.0, "source": "xmp"} in facts


def test_the_page_shows_them_and_each_link_finds_the_picture(client: TestClient) -> None:
    answer = client.get("/images/1")
    page = Page(answer.text)
    assert_inert(page)
    for text in ("Canon EOS 90D", "1/250 s", "f/2.8", "ISO 3200", "50 mm", "33.86000° S, 151.20000° E", "12 m",
                 "4 of 5", "Walter", "Bo", "&lt;script&gt;", "<small>exif</small>", "<small>xmp</small>"):  # fmt: skip
        assert text in answer.text
    assert "<script>" not in answer.text
    links = [link["href"] for link in page.all("a") if link.get("title") == "Search for this" and "%3A" in link["href"]]
    assert len(links) == 9
    for link in links:
        assert "/images/1" in client.get(link).text, link


def test_nothing_is_shown_of_nothing() -> None:
    assert shown_facts([FactInfo("latitude", None, 1.0, "exif"), FactInfo("orientation", None, 6.0, "exif")]) == []


def test_names_that_the_language_cannot_ask_for_are_not_linked() -> None:
    (line,) = shown_facts([FactInfo("person", 'Ana "*" Silva', None, "xmp")])
    assert [(piece.text, piece.query) for piece in line.pieces] == [('Ana "*" Silva', "")]


def test_long_exposures_are_in_seconds() -> None:
    (line,) = shown_facts([FactInfo("exposure", None, 2.5, "exif"), FactInfo("exposure", None, 1.0, "xmp")])
    assert [piece.text for piece in line.pieces] == ["2.5 s"]
