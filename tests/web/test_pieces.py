"""Pieces of a query: numbered in its order, found again in its words."""

from __future__ import annotations

import pytest

from search.results import Hit, MatchedRegion
from vision.types import Box
from web.layout import PIECES, stylesheet
from web.pieces import marked_query, number_of, query_pieces

BOX = Box(0, 0, 1, 1)


def hit(*answers: str) -> Hit:
    regions = tuple(MatchedRegion(1, f"phrase of {one}", BOX, None, "import", one) for one in answers)
    return Hit(1, 1, "/a.png", 1.0, {}, 10, 10, "0" * 64, regions=regions)


def test_pieces_are_numbered_in_the_order_of_the_query_whichever_picture_shows_them_first() -> None:
    pieces = query_pieces("a dog left of a tree", [hit("a tree"), hit("A tree", "a dog"), hit("region:3")])
    assert [(piece.number, piece.text) for piece in pieces] == [(1, "a dog"), (2, "a tree"), (3, "region:3")]


def test_a_box_has_the_number_of_the_piece_that_it_answers() -> None:
    shown = hit("a tree", "a dog", "")
    pieces = query_pieces("a dog left of a tree", [shown])
    assert [number_of(region, pieces) for region in shown.regions] == [2, 1, None]


def test_no_more_pieces_are_numbered_than_have_a_class() -> None:
    pieces = query_pieces("", [hit(*(f"thing {n}" for n in range(50)))])
    assert len(pieces) == PIECES
    assert all(f".w{piece.number}" in stylesheet() for piece in pieces)


@pytest.mark.parametrize(
    ("query", "answers", "marked"),
    [
        ("a dog left of a tree", ["a dog", "a tree"], ["a dog", "a tree"]),
        ("A Dog", ["a dog"], ["A Dog"]),
        ("a big dog", ["a big dog", "dog"], ["a big dog"]),
        ("a dog", ["a cat"], []),
        ("STRASSE groß", ["groß"], ["groß"]),
        ("İstanbul dog", ["dog"], ["dog"]),
        ("", ["region:1"], []),
    ],
)
def test_the_query_is_cut_where_its_pieces_stand(query: str, answers: list[str], marked: list[str]) -> None:
    stretches = marked_query(query, query_pieces(query, [hit(*answers)]))
    assert "".join(stretch.text for stretch in stretches) == query
    assert [stretch.text for stretch in stretches if stretch.piece] == marked
