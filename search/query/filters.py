"""Facts that a picture must have: one table of filters, from `name:value` to the pictures that fulfil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, false, func, not_, select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import FOLDER, Catalogue
from search.db.schema import Image
from search.errors import QueryError
from search.query.dates import read_days
from search.query.fact_conditions import counted, facts_alike, near, noted, noted_like, read_near
from search.query.filter_conditions import (
    has,
    languages_alike,
    named,
    oriented,
    sized,
    sources_alike,
    spoken,
    taken,
    told_by,
)
from search.query.filter_values import Reading, like_pattern, read_bound, read_interval, read_number
from search.query.tree import Filter, Not
from search.query.writing import read_writing, written_in
from search.words.terms import name_terms


@dataclass(frozen=True, slots=True)
class FilterKind:
    """One filter.

    Attributes:
        example: as somebody types it.
        help: one line.
        read: from the text behind the colon, and today's date, to a value; raises QueryError.
        condition: on `images.id`, from that value; None where the catalogue knows.
        rows: rows of the catalogue's pictures, from that value; None where the database knows alone.
        known: from that value to what `condition` takes instead, as the database holds it; None for the value itself.
    """

    example: str
    help: str
    read: Callable[[str, date], Reading]
    condition: Callable[[Any], ColumnElement[bool]] | None = None
    rows: Callable[[Session, Catalogue, Any], NDArray[np.int64]] | None = None
    known: Callable[[Session, Any], Any] | None = None


def read_filter(name: str, value: str, today: date) -> Reading:
    """Read a filter's value.

    Raises:
        QueryError: there is no such filter, or it cannot have this value.
    """
    if name not in FILTERS:
        raise QueryError(f"there is no filter {name}:", remedy=f"Known: {', '.join(sorted(FILTERS))}.")
    if not value.strip():
        raise QueryError(f"{name}: has no value", remedy=f"For example: {FILTERS[name].example}.")
    return FILTERS[name].read(value.strip(), today)


def fulfilling(
    session: Session, catalogue: Catalogue, filters: Sequence[Filter | Not], today: date | None = None
) -> NDArray[np.int64] | None:
    """Ascending rows of the catalogue's pictures that fulfil all filters; None where there is none.

    One statement, unless the database knows nothing but what must not be: then one for each of these filters. Before
    it, one or two for each filter that has something `known`.

    Raises:
        QueryError: a filter is unknown or cannot have its value.
    """
    if not filters:
        return None
    wanted: list[ColumnElement[bool]] = []
    unwanted: list[ColumnElement[bool]] = []
    allowed = np.ones(len(catalogue.images), bool)
    for one in filters:
        inner = one.part if isinstance(one, Not) else one
        if not isinstance(inner, Filter):
            raise QueryError("only a filter can stand among filters")
        value = read_filter(inner.name, inner.value, today or date.today()).value
        kind = FILTERS[inner.name]
        if kind.rows is not None:
            among = _mask(catalogue, kind.rows(session, catalogue, value))
            allowed &= ~among if isinstance(one, Not) else among
        elif kind.condition is not None:
            known = value if kind.known is None else kind.known(session, value)
            (unwanted if isinstance(one, Not) else wanted).append(kind.condition(known))
    if wanted:
        # What is unknown of a picture (NULL) does not fulfil a filter, and so fulfils its opposite.
        opposites = [not_(func.coalesce(condition, false())) for condition in unwanted]
        allowed &= _mask(catalogue, _rows(session, catalogue, [*wanted, *opposites]))
        return np.flatnonzero(allowed)
    for condition in unwanted:
        # No index finds what something is not; it finds what it is, and all the others remain.
        allowed[_rows(session, catalogue, [condition])] = False
    return np.flatnonzero(allowed)


def _rows(session: Session, catalogue: Catalogue, conditions: Sequence[ColumnElement[bool]]) -> NDArray[np.int64]:
    ids = np.fromiter(session.scalars(select(Image.id).where(*conditions)), np.int64)
    rows = catalogue.rows_of_images(ids)
    return rows[rows >= 0]


def _mask(catalogue: Catalogue, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of the pictures are these: numpy's own set operations take a hundred times as long."""
    among = np.zeros(len(catalogue.images), bool)
    among[rows] = True
    return among


def _read_date(value: str, today: date) -> Reading:
    first, last = read_days(value, today)
    return Reading((first, last), f"taken on {first}" if first == last else f"taken from {first} to {last}")


def _read_folder(value: str, today: date) -> Reading:
    return Reading(value, f"in a folder named {value}" if not value.startswith("/") else f"below {value}")


def _in_folder(session: Session, catalogue: Catalogue, value: str) -> NDArray[np.int64]:
    """Pictures below a folder whose path holds all words of this one."""
    terms = [term for part in value.strip("/").split("/") for term in name_terms(part, indexed=False)]
    match = catalogue.match(terms)
    held = match.doc_rows[(match.covered >= 0.999) & (catalogue.doc_kind[match.doc_rows] == FOLDER)]
    return np.unique(catalogue.images_of(held)[1])


def _read_name(value: str, today: date) -> Reading:
    return Reading(like_pattern(value), f"file name {'like' if '*' in value else 'with'} {value}")


def _read_choice(name: str, choices: Mapping[str, str]) -> Callable[[str, date], Reading]:
    def read(value: str, today: date) -> Reading:
        if value.lower() not in choices:
            raise QueryError(f"{name}:{value} is unknown", remedy=f"Known: {', '.join(choices)}.")
        return Reading(value.lower(), choices[value.lower()])

    return read


def _read_size(value: str, today: date) -> Reading:
    bound = read_bound(value)
    return Reading(bound, f"{bound.words} {bound.shown}")


def _read_words(what: str) -> Callable[[str, date], Reading]:
    return lambda value, today: Reading(like_pattern(value), f"{what} {value}")


def _read_interval(name: str, what: str, unit: str = "") -> Callable[[str, date], Reading]:
    def read(value: str, today: date) -> Reading:
        interval = read_interval(name, value, unit)
        return Reading(interval, f"{what} {interval.words}")

    return read


FILTERS: Mapping[str, FilterKind] = {
    "camera": FilterKind(
        "camera:canon",
        "part of the camera's maker and model; * for any characters",
        _read_words("taken with a camera"),
        noted("camera"),
        known=facts_alike("camera"),
    ),
    "date": FilterKind(
        'date:"last summer"', "when it was taken: a year, month, day, range or words", _read_date, taken
    ),
    "focal": FilterKind(
        "focal:>=200mm",
        "focal length in millimetres",
        _read_interval("focal", "with a focal length of", "mm"),
        counted("focal"),
    ),
    "folder": FilterKind("folder:Italy", "a folder above the file, by its words", _read_folder, rows=_in_folder),
    "format": FilterKind(
        "format:jpeg",
        "the kind of file",
        lambda value, today: Reading(
            value.upper().replace("JPG", "JPEG").replace("TIF", "TIFF").replace("TIFFF", "TIFF"),
            f"a {value.upper()} file",
        ),
        lambda value: Image.format == value,
    ),
    "has": FilterKind(
        "has:boxes",
        "what is known of it: boxes, captions, gps or text",
        _read_choice(
            "has",
            {
                "boxes": "with boxes",
                "captions": "with captions",
                "gps": "with a place on earth",
                "text": "with text that was read in it",
            },
        ),
        has,
    ),
    "id": FilterKind(
        "id:42",
        "one picture by its number",
        lambda value, today: Reading(read_number("id", value), f"picture {value}"),
        lambda value: Image.id == value,
    ),
    "iso": FilterKind(
        "iso:>=1600", "the film speed", _read_interval("iso", "with a film speed of ISO"), counted("iso")
    ),
    "lang": FilterKind(
        "lang:de",
        "a caption in this language",
        lambda value, today: Reading(
            value.lower().replace("\\", "").replace("%", "").replace("_", "-"), f"with a caption in {value}"
        ),
        spoken,
        known=languages_alike,
    ),
    "lens": FilterKind(
        "lens:24-70mm",
        "part of the lens's name; * for any characters",
        _read_words("taken with a lens"),
        noted("lens"),
        known=facts_alike("lens"),
    ),
    "name": FilterKind("name:IMG_20*", "part of the file's name; * for any characters", _read_name, named),
    "near": FilterKind(
        "near:48.85,2.35,10km",
        "taken so near to a place: degrees north, degrees east, distance (km or m)",
        read_near,
        near,
    ),
    "orient": FilterKind(
        "orient:portrait",
        "how it lies",
        _read_choice(
            "orient", {"landscape": "wider than tall", "portrait": "taller than wide", "square": "as wide as tall"}
        ),
        oriented,
    ),
    "person": FilterKind(
        "person:Ana",
        "part of the name of somebody who is on it; * for any characters",
        _read_words("with"),
        noted_like("person"),
    ),
    "rating": FilterKind(
        "rating:>=3", "stars, 0 to 5", _read_interval("rating", "with a rating of"), counted("rating")
    ),
    "size": FilterKind("size:>2mp", "pixels (mp, px of the longer side) or bytes (kb, mb)", _read_size, sized),
    "source": FilterKind(
        "source:import",
        "who captioned or boxed it",
        lambda value, today: Reading(like_pattern(value, prefix=True), f"with a caption or box of {value}"),
        told_by,
        known=sources_alike,
    ),
    "tag": FilterKind(
        "tag:veranda",
        "part of a keyword that its file carries; * for any characters",
        _read_words("with a keyword like"),
        noted_like("keyword"),
    ),
    "text": FilterKind(
        'text:"no parking"',
        "words that were read in it, in this order; a letter or two may be wrong",
        read_writing,
        rows=lambda session, catalogue, value: written_in(session, catalogue, value)[0],
    ),
}
"""Every filter by its name. What more is known of pictures joins by one entry."""
