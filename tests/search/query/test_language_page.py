"""The page about the query language holds every filter and every order, and examples in messages are read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from search.query.filters import FILTERS
from search.query.language import LIKES, SORTS, parse

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "query-language.md").read_text(encoding="utf-8")
TODAY = date(2026, 3, 10)


@pytest.mark.parametrize("name", [*FILTERS, *LIKES])
def test_every_filter_stands_on_the_page(name: str) -> None:
    assert f"`{name}:" in PAGE


@pytest.mark.parametrize("order", SORTS)
def test_every_order_stands_on_the_page(order: str) -> None:
    assert f"`sort:{order}`" in PAGE


@pytest.mark.parametrize("example", [kind.example for kind in FILTERS.values()])
def test_the_example_of_a_filter_is_read(example: str) -> None:
    (token,) = parse(example, today=TODAY).tokens
    assert token.kind == "filter"
