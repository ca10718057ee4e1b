"""The filter bar: what an answer can be narrowed by, each value a link that adds its token to the query."""

from __future__ import annotations

from dataclasses import dataclass

from search.facets import Facets


@dataclass(frozen=True, slots=True)
class ShownValue:
    """One value.

    Attributes:
        share: of the largest count of its facet, as SVG reads it.
        query: the query with its token.
        chosen: the query has it already.
    """

    text: str
    count: int
    at_least: bool
    share: str
    query: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ShownFacet:
    """The values of one kind; `more` tells that there are rarer ones."""

    name: str
    values: tuple[ShownValue, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class ShownFacets:
    """The facets of a page; `images` were counted, `of` says which (`search.facets.Facets`)."""

    images: int
    of: str
    facets: tuple[ShownFacet, ...]


def shown_facets(found: Facets, query: str) -> ShownFacets:
    """The facets of an answer to a query."""
    shown: list[ShownFacet] = []
    for facet in found.facets:
        largest = max((value.count for value in facet.values), default=0) or 1
        values = tuple(
            ShownValue(
                text=value.text,
                count=value.count,
                at_least=value.at_least,
                share=f"{value.count / largest:.4f}",
                query=f"{query.strip()} {value.token}".strip(),
                chosen=_has(query, value.token),
            )
            for value in facet.values
        )
        shown.append(ShownFacet(facet.name, values, facet.more))
    return ShownFacets(found.images, found.of, tuple(shown))


def _has(query: str, token: str) -> bool:
    return f" {token} " in f" {query} "
