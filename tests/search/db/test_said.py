"""Captions of many pictures at once, people's first; phrases that begin like what is typed, the frequent ones first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from search.db.annotations import CaptionFact, add_annotations
from search.db.said import captions_of, phrases_like
from search.db.schema import Caption, CaptionGeneration
from vision.types import Box, Region, Span

if TYPE_CHECKING:
    from tests.search.stock import Stock

BOX = Box(0.1, 0.1, 0.5, 0.5)


def told(text: str, *phrases: str) -> CaptionFact:
    regions = tuple(Region(one, BOX, Span(text.index(one), text.index(one) + len(one))) for one in phrases)
    return CaptionFact(text, "en", regions)


@pytest.fixture
def filled(stock: Stock) -> Stock:
    stock.add_pictures(3)
    with stock.library.write() as session:
        one, two, _ = stock.images
        add_annotations(session, one, [told("a red car by a tree", "a red car", "a tree")], [], "machine")
        add_annotations(session, one, [told("a red car, really", "a red car")], [], "import")
        add_annotations(session, two, [told("a red carpet and 100% a_b", "a red carpet", "100% a_b")], [], "import")
        generation = CaptionGeneration(
            source="machine", language="en", resting=False, token=1, started_at=datetime(2024, 1, 1, tzinfo=UTC)
        )
        session.add(generation)
        session.flush()
        session.query(Caption).filter(Caption.source == "machine").update({"generation_id": generation.id})
    return stock


def test_what_people_say_comes_before_what_machines_say(filled: Stock) -> None:
    one, two, three = filled.images
    with filled.library.read() as session:
        said = captions_of(session, [one, two, three])
    assert [(caption.text, caption.machine) for caption in said[one]] == [
        ("a red car, really", False),
        ("a red car by a tree", True),
    ]
    assert set(said) == {one, two}


def test_what_rests_is_not_told(filled: Stock) -> None:
    with filled.library.write() as session:
        session.query(CaptionGeneration).update({"resting": True})
    with filled.library.read() as session:
        (said,) = captions_of(session, filled.images[:1]).values()
    assert [caption.text for caption in said] == ["a red car, really"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("a red", ["a red car", "a red carpet"]),
        ("A RED", ["a red car", "a red carpet"]),
        ("carp", ["a red carpet"]),
        ("tree", ["a tree"]),
        ("ree", []),
        ("100%", ["100% a_b"]),
        ("10_", []),
        ("%", []),
        ("\\", []),
    ],
)
def test_phrases_begin_or_have_a_word_that_begins_like_what_is_typed(
    filled: Stock, typed: str, found: list[str]
) -> None:
    with filled.library.read() as session:
        assert phrases_like(session, typed, 5) == found
        assert phrases_like(session, typed, 1) == found[:1]
