"""What was read is remembered, kept apart from what is seen, and goes with its picture or its reader."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from stock import Stock

from search.db.annotations import add_annotations
from search.db.details import image_detail
from search.db.readings import add_reading, images_unread
from search.db.region_rows import count_without_vector
from search.db.rewrites import carry_annotations
from search.db.schema import File, Reading, ReadSpelling, ReadWord, Region
from search.db.spellings import words_alike
from search.maintenance import rebuild, verify
from search.sources import forget_source, list_sources
from vision.types import Box
from vision.types import Region as RegionFact

READER = "rapidocr:0123456789ab"


def _line(text: str, top: float = 0.1) -> RegionFact:
    return RegionFact(text, Box(0.1, top, 0.6, top + 0.05), None, 0.9)


def _read(stock: Stock, picture: int, *lines: str) -> None:
    with stock.library.write() as session:
        facts = [_line(text, 0.1 + number / 10) for number, text in enumerate(lines)]
        add_reading(session, stock.images[picture], facts, READER)


def test_a_picture_is_read_once_also_where_nothing_is_written(stock: Stock) -> None:
    stock.add_pictures(3)
    _read(stock, 0, "No Parking")
    _read(stock, 1)
    with stock.library.read() as session:
        assert images_unread(session, READER) == [stock.images[2]]
        assert images_unread(session, "another:1") == stock.images
        assert images_unread(session, "another:1", "/elsewhere") == []
        path = session.scalar(select(File.path).where(File.image_id == stock.images[1]))
        assert images_unread(session, "another:1", path) == [stock.images[1]]


def test_lines_stand_apart_from_boxes_and_are_not_embedded_as_such(stock: Stock) -> None:
    stock.add_pictures(1)
    with stock.library.write() as session:
        add_annotations(session, stock.images[0], [], [_line("a dog", 0.7)], "import")
    _read(stock, 0, "DOG", "for sale")
    with stock.library.read() as session:
        detail = image_detail(session, stock.images[0])
        assert detail is not None
        assert [region.phrase for region in detail.regions] == ["a dog"]
        assert [(line.phrase, line.score, line.source) for line in detail.lines] == [
            ("DOG", 0.9, READER),
            ("for sale", 0.9, READER),
        ]
        assert count_without_vector(session, stock.model.id) == 1


def test_a_rewritten_picture_keeps_what_was_read(stock: Stock) -> None:
    stock.add_pictures(2)
    _read(stock, 0, "No Parking")
    for _ in range(2):
        with stock.library.write() as session:
            carry_annotations(session, stock.images[0], stock.images[1])
    with stock.library.read() as session:
        assert images_unread(session, READER) == []
        held = session.scalars(select(Region.is_read).where(Region.image_id == stock.images[1])).all()
        assert held == [True]


def test_forgetting_a_reader_lets_its_pictures_be_read_again(stock: Stock) -> None:
    stock.add_pictures(2)
    _read(stock, 0, "No Parking", "Exit")
    _read(stock, 1)
    (source,) = list_sources(stock.library)
    assert (source.name, source.captions, source.regions, source.images) == (READER, 0, 2, 2)
    assert forget_source(stock.library, "rapidocr").regions == 2
    with stock.library.read() as session:
        assert images_unread(session, READER) == stock.images
        for table in (ReadWord, ReadSpelling, Reading, Region):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_what_is_erased_with_a_picture_is_found_no_more(stock: Stock) -> None:
    from search.db.schema import Image
    from search.erasing import erase_unused_texts

    stock.add_pictures(2)
    _read(stock, 0, "secret meeting")
    _read(stock, 1, "open meeting")
    with stock.library.write() as session:
        session.execute(delete(File).where(File.image_id == stock.images[0]))
        session.execute(delete(Image).where(Image.id == stock.images[0]))
        assert erase_unused_texts(session) == 1
    with stock.library.read() as session:
        assert set(session.scalars(select(ReadWord.word))) == {"open", "meeting"}
        assert session.scalar(select(func.count()).select_from(Reading)) == 1


def test_rebuild_makes_the_words_findable_again(stock: Stock) -> None:
    stock.add_pictures(1)
    _read(stock, 0, "Breakfast served")
    with stock.library.write() as session:
        session.execute(delete(ReadSpelling))
    assert "line_unfindable" in verify(stock.library).codes
    rebuild(stock.library)
    assert "line_unfindable" not in verify(stock.library).codes
    with stock.library.read() as session:
        assert words_alike(session, ["breakfest"]) == {"breakfest": {"breakfast": 1}}
