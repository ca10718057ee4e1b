"""What files carry is in the library: when they are indexed, rewritten, looked at again and forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pictures
from sqlalchemy import func, select, update

from indexer.forget import forget
from indexer.pipeline import IndexOptions, index_paths
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import Caption, Embedding, Fact, Image, Region, TextBody
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from tests.vision.carried.packets import KEYWORDS, MICROSOFT, TITLE, xmp
from vision.carried.facts import VERSION
from vision.encoders.colour import ColourEncoder

OPTIONS = IndexOptions(decode_workers=1, batch_size=4)
RESCAN = IndexOptions(decode_workers=1, batch_size=4, rescan=True)


@pytest.fixture
def encoder() -> ColourEncoder:
    return ColourEncoder()


def draw(path: Path, model: str, iso: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    exif = Pictures.Exif()
    exif[0x0110] = model
    exif.get_ifd(0x8769)[0x8827] = iso
    Pictures.new("RGB", (48, 32), "red").save(path, exif=exif)
    return path


def facts(library: Library) -> list[tuple[str, str | float | None, str]]:
    with library.read() as session:
        rows = session.scalars(select(Fact).order_by(Fact.name))
        return [(row.name, row.number if row.text is None else row.text, row.source) for row in rows]


def test_facts_come_with_the_picture_and_go_with_it(library: Library, encoder: ColourEncoder, tmp_path: Path) -> None:
    path = draw(tmp_path / "pictures" / "a.jpg", "X100", 400)
    index_paths(library, encoder, [path.parent], OPTIONS)
    assert facts(library) == [("camera", "X100", "exif"), ("iso", 400.0, "exif")]
    forget(library, [path])
    assert facts(library) == []


def test_a_rewritten_file_has_the_facts_of_today(library: Library, encoder: ColourEncoder, tmp_path: Path) -> None:
    path = draw(tmp_path / "pictures" / "a.jpg", "X100", 400)
    index_paths(library, encoder, [path.parent], OPTIONS)
    draw(path, "X100V", 400)
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.embedded, report.rewritten) == (0, 1)
    assert facts(library) == [("camera", "X100V", "exif"), ("iso", 400.0, "exif")]


def test_rescan_reads_the_facts_of_pictures_that_are_there(
    library: Library, encoder: ColourEncoder, tmp_path: Path
) -> None:
    path = draw(tmp_path / "pictures" / "a.jpg", "X100", 400)
    index_paths(library, encoder, [path.parent], OPTIONS)
    with library.exclusive(), library.write() as session:
        session.execute(update(Image).values(facts_version=None))
        session.query(Fact).delete()
    assert index_paths(library, encoder, [], OPTIONS).unchanged == 1
    assert facts(library) == []
    report = index_paths(library, encoder, [], RESCAN)
    assert (report.embedded, report.unchanged) == (0, 1)
    assert facts(library) == [("camera", "X100", "exif"), ("iso", 400.0, "exif")]
    with library.read() as session:
        assert session.scalar(select(Image.facts_version)) == VERSION
        assert session.scalar(select(func.count()).select_from(Embedding)) == 1


def test_words_and_people_are_searched_and_go_when_the_file_says_them_no_more(
    library: Library, encoder: ColourEncoder, tmp_path: Path
) -> None:
    path = tmp_path / "pictures" / "a.jpg"
    path.parent.mkdir()
    Pictures.new("RGB", (48, 32), "red").save(path, xmp=xmp(TITLE, KEYWORDS, MICROSOFT))
    index_paths(library, encoder, [path.parent], OPTIONS)
    assert said(library) == ({("Walter", "xmp"), ("quokka, Rottnest Island", "xmp")}, {("Bo", "xmp")})
    assert ("person", "Bo", "xmp") in facts(library)
    search = SearchService(library, encoder).search
    assert search(SearchRequest(text='"rottnest island" person:bo tag:QUOKKA source:xmp')).hits
    with library.exclusive(), library.write() as session:
        add_annotations(session, session.scalars(select(Image.id)).one(), [CaptionFact("by hand")], [], "import")
    Pictures.new("RGB", (48, 32), "red").save(path, xmp=xmp(TITLE))
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.embedded, report.rewritten) == (0, 1)
    assert said(library) == ({("Walter", "xmp"), ("by hand", "import")}, set())
    assert facts(library) == []
    assert not search(SearchRequest(text="person:bo")).hits
    assert verify(library).findings == []


def said(library: Library) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    with library.read() as session:
        captions, regions = (
            {(body, source) for body, source in session.execute(select(TextBody.body, one.source).join(one)).all()}
            for one in (Caption, Region)
        )
    return captions, regions
