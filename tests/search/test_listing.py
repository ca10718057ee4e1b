"""Lists go on behind a row's place, whatever comes and goes, and are the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from sqlalchemy import update

from search.db.annotations import CaptionFact, add_annotations
from search.db.contents import get_or_create_images
from search.db.images import FileFact, ImageFact, record_file
from search.db.roots import root_for
from search.db.schema import Image
from search.library import Library
from search.listing import list_images, list_told
from web.api.exporting import exported


@pytest.fixture
def stock_library(library: Library) -> Library:
    """Five pictures, three of them dated, on each database."""
    with library.write() as session:
        root = root_for(session, "/p")
        for number in range(1, 6):
            taken = datetime(2020 + number, 1, 1, tzinfo=UTC) if number <= 3 else None
            content = sha256(str(number).encode()).hexdigest()
            found, _ = get_or_create_images(session, {content: ImageFact(content, 3, 2, "PNG", 9, taken)})
            record_file(session, FileFact(f"/p/{number}.png", 9, 1, "1"), root.id, image_id=found[content])
        add_annotations(session, 1, [CaptionFact("one"), CaptionFact("two")], [], "import")
    return library


def test_rows_that_come_and_go_neither_repeat_nor_hide_others(stock_library: Library) -> None:
    """A page begins behind a row's place, not after so many rows."""
    first, last = list_images(stock_library, None, "date", 2)
    with stock_library.write() as session:
        session.execute(
            update(Image).where(Image.id == first[0].image_id).values(taken_at=datetime(1990, 1, 1, tzinfo=UTC))
        )
    rest, end = list_images(stock_library, None, "date", 10, last)
    seen = [one.image_id for one in [*first, *rest]]
    assert end is None
    assert set(seen) == {one.image_id for one in list_images(stock_library, None, "added", 10)[0]}
    assert [one.image_id for one in rest if one.image_id in {row.image_id for row in first}] == [first[0].image_id]


def test_lists_are_the_same_on_both_databases(stock_library: Library) -> None:
    orders = {
        order: [one.image_id for one in list_images(stock_library, None, order, 10)[0]]
        for order in ("date", "-date", "added")
    }  # type: ignore[arg-type]
    assert orders == {"date": [3, 2, 1, 5, 4], "-date": [1, 2, 3, 4, 5], "added": [5, 4, 3, 2, 1]}
    told, following = list_told(stock_library, "captions", None, 1)
    assert [row.caption.text for row in told if row.caption] == ["one"]
    more, end = list_told(stock_library, "captions", None, 5, following)
    assert [row.caption.text for row in more if row.caption] == ["two"]
    assert end is None


def test_no_cell_of_a_table_is_a_formula(stock_library: Library) -> None:

    with stock_library.write() as session:
        add_annotations(session, 2, [CaptionFact("=1+1"), CaptionFact("-x")], [], "import")
    table = b"".join(exported(stock_library, "captions", None, "csv")).decode()
    assert "'=1+1" in table
    assert "'-x" in table
    assert '"text": "=1+1"' in b"".join(exported(stock_library, "captions", None, "jsonl")).decode()
