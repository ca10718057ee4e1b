"""The query language: what each piece means, and that any text is a query."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search.errors import QueryError
from search.query.branches import Branch, branches
from search.query.language import parse
from search.query.tree import And, Exact, Filter, Like, Not, Or, Words

TODAY = date(2026, 3, 10)


def shape(node: object) -> object:
    """A tree without its spans."""
    match node:
        case Not():
            return ("not", shape(node.part))
        case And() | Or():
            return (type(node).__name__, *map(shape, node.parts))
        case Words() | Exact():
            return (type(node).__name__, node.text, node.weight)
        case Filter():
            return ("filter", node.name, node.value)
        case Like():
            return (node.of, node.id, node.weight)
    return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a dog left of a tree", ("Words", "a dog left of a tree", 1)),
        ("−dog", ("not", ("Words", "dog", 1))),
        ('-"red car"', ("not", ("Exact", "red car", 1))),
        ("„a b“", ("Exact", "a b", 1)),
        ("snow^-0.5", ("Words", "snow", -0.5)),
        ("(a b)^2", ("Words", "a b", 2)),
        ('"x" "y"', ("And", ("Exact", "x", 1), ("Exact", "y", 1))),
        ("a b OR c", ("Or", ("Words", "a b", 1), ("Words", "c", 1))),
        ('folder:"a b"', ("filter", "folder", "a b")),
        ("-name:x", ("not", ("filter", "name", "x"))),
        ("region:4^2", ("region", 4, 2)),
        ("- dog - hot-air", ("Words", "- dog - hot-air", 1)),
        ("12:30 http://x Mars: it file:///a 日：本 😀", ("Words", "12:30 http://x Mars: it file:///a 日：本 😀", 1)),
        ("sort:-date", None),
    ],
)
def test_each_piece_means_what_it_says(text: str, expected: object) -> None:
    assert shape(parse(text, today=TODAY).root) == expected


@pytest.mark.parametrize("text", ['"open', "(open", "shut)", "OR", "a OR", "a OR OR", "^2"])
def test_a_malformed_query_is_explained_and_searched_as_words(text: str) -> None:
    read = parse(text, today=TODAY)
    assert read.remarks
    assert isinstance(read.root, Words)
    assert set(read.root.text.casefold()) <= set(text.casefold())


@pytest.mark.parametrize("text", ["", " \x00", "a" * 1001, "foo:bar", "size:big", "like:x", "sort:up", "date:never"])
def test_what_cannot_be_meant_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, today=TODAY)
    assert caught.value.remedy


PIECES = ["dog", "-", "−", '"', '"a b"', "“", "(", ")", "OR", "^2", "^", " ", " ", "id:3", "sort:date", "like:1", "é"]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
@example("(" * 400 + "a" + ")" * 400)
def test_any_text_is_a_query(text: str) -> None:
    try:
        read = parse(text, today=TODAY)
    except QueryError:
        return
    for token in read.tokens:
        assert read.text[token.span.start : token.span.end] == token.text


@pytest.mark.parametrize(
    ("text", "cut", "rest"),
    [
        ("dog -cat", 1, "dog"),
        ("(a OR b) c", 0, "b c"),
        ("x (sort:date)", 1, "x"),
        ('x "a b"^2', 1, "x"),
    ],
)
def test_cutting_a_token_leaves_the_query_without_it(text: str, cut: int, rest: str) -> None:
    read = parse(text, today=TODAY)
    span = read.tokens[cut].span
    left = parse(read.text[: span.start] + read.text[span.end :], today=TODAY)
    assert branches(left.root) == branches(parse(rest, today=TODAY).root)  # type: ignore[arg-type]


def test_a_branch_takes_a_query_apart() -> None:
    root = parse('a dog^2 snow^-1 "x y" -cat -"z" -like:4 (p OR q)', today=TODAY).root
    assert root is not None
    first, second = branches(root)
    assert first.words == "a dog x y p"
    assert second.words == "a dog x y q"
    assert first.weighted == (("dog", 1.0), ("snow", -1.0))
    assert (first.exact, first.excluded, first.excluded_exact) == (("x y",), ("cat", "z"), ("z",))
    assert first.likes[0].weight == -1


def test_more_than_sixteen_alternatives_are_refused() -> None:
    root = parse(" ".join(["(a OR b)"] * 5), today=TODAY).root
    assert root is not None
    with pytest.raises(QueryError, match="16 alternatives"):
        branches(root)


def test_a_query_may_only_exclude() -> None:
    root = parse("-dog", today=TODAY).root
    assert root is not None
    assert branches(root) == (Branch(excluded=("dog",)),)
