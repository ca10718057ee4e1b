"""Queries that come of removing a piece, ordering and filtering; all of them are read as they should be."""

from __future__ import annotations

import pytest

from search.facet_values import Facet, FacetValue
from search.facets import Facets
from search.query.language import parse
from search.results import SearchResult
from web.pages.filters import shown_facets
from web.pages.tokens import orders, shown_tokens


def answer(text: str) -> SearchResult:
    parsed = parse(text)
    return SearchResult(parsed.text, (), False, 0, 0.0, "m", tokens=parsed.tokens)


def test_each_piece_can_be_taken_away() -> None:
    shown = shown_tokens(answer('a dog -snow date:2024 "polar bear"'))
    assert [(one.text, one.rest) for one in shown] == [
        ("a dog", '-snow date:2024 "polar bear"'),
        ("-snow", 'a dog date:2024 "polar bear"'),
        ("date:2024", 'a dog -snow "polar bear"'),
        ('"polar bear"', "a dog -snow date:2024"),
    ]
    assert shown_tokens(answer("a dog")) == [], "words alone are shown in the box already"


@pytest.mark.parametrize(
    ("query", "current", "asked"),
    [
        ("a dog", "relevance", ["a dog", "a dog sort:date", "a dog sort:-date"]),
        ("a sort:date dog", "date", ["a dog", "a dog sort:date", "a dog sort:-date"]),
        ("sort:date dog sort:-date", "-date", ["dog", "dog sort:date", "dog sort:-date"]),
        ("sort:date", "date", ["", "sort:date", "sort:-date"]),
    ],
)
def test_orders_replace_the_one_that_was_asked_for(query: str, current: str, asked: list[str]) -> None:
    shown = orders(answer(query))
    assert [one.query for one in shown] == asked
    assert [one.name for one in shown if one.current] == [current]
    assert [parse(one.query).sort for one in shown if one.query] == [one.name for one in shown if one.query]


def test_facets_add_their_token_and_know_what_is_chosen() -> None:
    values = (FacetValue("2024-05", 4, "date:2024-05"), FacetValue("2024-06", 1, "date:2024-06"))
    found = Facets(5, "likely", (Facet("date", values, step="month"),))
    (facet,) = shown_facets(found, "dog date:2024-06").facets
    assert [(one.query, one.share, one.chosen) for one in facet.values] == [
        ("dog date:2024-06 date:2024-05", "1.0000", False),
        ("dog date:2024-06 date:2024-06", "0.2500", True),
    ]
    assert shown_facets(found, "").facets[0].values[0].query == "date:2024-05"
