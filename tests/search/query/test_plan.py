"""A query is cleaned before anything looks at it."""

from __future__ import annotations

import pytest

from search.errors import QueryError
from search.query.plan import MAX_QUERY_CHARS, check_page, plan_query


@pytest.mark.parametrize(
    ("raw", "text", "words"),
    [
        ("  two \n zebras ", "two zebras", ("two", "zebras")),
        ("Red red RED", "Red red RED", ("red",)),
        ("cafe\u0301", "caf\u00e9", ("caf\u00e9",)),
        ("a\x00b\u202ec", "a b c", ("a", "b", "c")),
        ("一只猫", "一只猫", ("一只猫",)),
        ("'; DROP TABLE images; --", "'; DROP TABLE images; --", ("drop", "table", "images")),
        ("!!!", "!!!", ()),
    ],
)
def test_white_space_control_characters_and_forms_are_settled(raw: str, text: str, words: tuple[str, ...]) -> None:
    plan = plan_query(raw)
    assert (plan.text, plan.words) == (text, words)


@pytest.mark.parametrize("raw", ["", "   ", "\x00\u200b\t", "x" * (MAX_QUERY_CHARS + 1)])
def test_a_query_that_asks_nothing_or_too_much_is_refused(raw: str) -> None:
    with pytest.raises(QueryError):
        plan_query(raw)


@pytest.mark.parametrize(("k", "offset"), [(0, 0), (1001, 0), (1, -1), (1, 100_001)])
def test_a_page_that_cannot_be_is_refused(k: int, offset: int) -> None:
    with pytest.raises(QueryError):
        check_page(k, offset)
