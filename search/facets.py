"""What the pictures of a query, or of the whole library, have in common: values with counts, each with the token that
narrows a query to it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import Catalogue
from search.db import facet_counts as counts
from search.db.facet_counts import Among
from search.db.schema import Image
from search.facet_folders import folders
from search.facet_phrases import phrases
from search.facet_values import Facet, FacetValue, filter_token, histogram, places
from search.query.answer import Stages
from search.query.engine import give, order
from search.query.filter_conditions import has
from search.query.page import Asked
from search.snapshot import Snapshot

__all__ = ["Facet", "FacetValue", "Facets", "Of", "find_facets"]

Of: TypeAlias = Literal["library", "filters", "likely", "nearest"]

LIKELY_MOST = 1_000
"""Hits for which a query with words is ranked before those that are likely are counted."""

NEAREST = 200
"""Pictures that stand for a query where nobody can say what is likely: one by likeness alone."""

MOST = 20
"""Values of one facet."""

_HAS = ("boxes", "captions", "gps", "text")


@dataclass(frozen=True, slots=True)
class Facets:
    """What some pictures have in common.

    Attributes:
        images: how many pictures were counted.
        of: which: all of the library; all that fulfil the filters of a query without words; the likely hits of one with
            words, as far as a search for 1,000 sees them; the 200 nearest, where nobody can say what is likely.
        facets: those of which there is a value, in the order in which a page shows them.
    """

    images: int
    of: Of
    facets: tuple[Facet, ...]


def find_facets(session: Session, snapshot: Snapshot, asked: Asked | None) -> Facets:
    """Count what is known of the pictures of a query; of the whole library where there is none.

    Raises:
        NotFoundError: a picture or region that the query names is not of this library.
        QueryError: a filter's value cannot be read.
    """
    rows, of = _counted(session, snapshot, asked)
    catalogue = snapshot.catalogue
    everything = len(rows) == session.scalar(select(func.count()).select_from(Image))
    among = Among(session, None if everything else catalogue.images[rows])
    found = (*_by_catalogue(session, catalogue, rows), *_by_database(among)) if len(rows) else ()
    return Facets(len(rows), of, tuple(facet for facet in found if facet.values))


def _counted(session: Session, snapshot: Snapshot, asked: Asked | None) -> tuple[NDArray[np.int64], Of]:
    """Ascending rows of the catalogue, and which they are."""
    everything = np.arange(len(snapshot.catalogue.images))
    if asked is None:
        return everything, "library"
    if snapshot.images.size == 0:
        return everything[:0], "likely"
    given = give(session, snapshot, asked.wanted, asked.embedded, plain=not asked.request.annotations)
    if not any(one.ask.texts or len(one.likes) for one in given):
        rows = [everything if one.among is None else one.among for one in given]
        return np.unique(np.concatenate(rows)), "filters"
    ordered = order(session, snapshot, given, LIKELY_MOST, "relevance", Stages())
    if ordered.likely is None:
        return np.sort(ordered.rows[:NEAREST]), "nearest"
    return np.sort(ordered.rows[: ordered.likely]), "likely"


def _by_catalogue(session: Session, catalogue: Catalogue, rows: NDArray[np.int64]) -> tuple[Facet, ...]:
    return phrases(session, catalogue, rows, MOST), folders(session, catalogue, rows, MOST)


def _by_database(among: Among) -> tuple[Facet, ...]:
    coordinates, whole = counts.coordinates(among)
    return (
        histogram(counts.months(among)),
        _named(among, "camera", "camera"),
        Facet("place", places(coordinates, whole=whole)),
        Facet("format", tuple(_value("format", name.lower(), number) for name, number in counts.formats(among)[:MOST])),
        _sources(among),
        _named(among, "person", "person"),
        _named(among, "tag", "keyword"),
        _known(among),
    )


def _value(name: str, value: str, count: int, *, at_least: bool = False) -> FacetValue:
    return FacetValue(value, count, filter_token(name, value), at_least)


def _named(among: Among, name: str, fact: str) -> Facet:
    """Values of a filter that finds all facts which hold its value: what holds another one counts there, too."""
    told = counts.texts_of_facts(among, fact)
    values: list[FacetValue] = []
    for key, text, own in told[:MOST]:
        if re.search(r'[*"]', text):  # these mean something in a filter
            values.append(_value(name, text, own, at_least=True))
        else:
            values.append(_value(name, text, sum(number for other, _, number in told if key in other)))
    return Facet(name, tuple(values), more=len(told) > MOST)


def _sources(among: Among) -> Facet:
    told = counts.sources(among)
    values = [
        _value("source", name, number, at_least=any(other != name and other.startswith(name) for other, _ in told))
        for name, number in told[:MOST]
    ]
    return Facet("source", tuple(values), more=len(told) > MOST)


def _known(among: Among) -> Facet:
    numbers = counts.fulfilling(among, [has(value) for value in _HAS])
    return Facet("has", tuple(_value("has", value, count) for value, count in zip(_HAS, numbers, strict=True) if count))
