"""The pieces of a query as a page shows them, and the queries that come of adding, replacing or removing one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.query.language import SORTS
from search.query.tree import Token
from search.results import SearchResult


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A piece of the query as a page shows it; `rest` is the query without it."""

    kind: str
    text: str
    means: str
    rest: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order in which an answer can be shown; `query` asks for it."""

    name: str
    query: str
    current: bool


def shown_tokens(result: SearchResult) -> list[ShownToken]:
    """The pieces of a query that is more than words."""
    if len(result.tokens) < 2 and all(token.kind == "words" for token in result.tokens):
        return []
    return [ShownToken(token.kind, token.text, token.means, without(result.query, [token])) for token in result.tokens]


def without(query: str, tokens: Sequence[Token]) -> str:
    """The query with some of its tokens cut out."""
    for token in sorted(tokens, key=lambda one: -one.span.start):
        query = query[: token.span.start] + " " + query[token.span.end :]
    return " ".join(query.split())


def orders(result: SearchResult) -> list[Order]:
    """The orders in which an answer to a text can be shown."""
    given = [token for token in result.tokens if token.kind == "sort"]
    chosen = given[-1].text.removeprefix("sort:") if given else "relevance"
    bare = without(result.query, given)
    return [
        Order(name, bare if name == "relevance" else f"{bare} sort:{name}".strip(), chosen == name) for name in SORTS
    ]
