"""Facts that a picture must have: one table of filters, from `name:value` to the pictures that fulfil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import FOLDER, Catalogue
from search.db.schema import Caption, File, Image, Region
from search.errors import QueryError
from search.query.dates import read_days
from search.query.filter_values import Bound, like_pattern, read_bound, read_number
from search.query.tree import Filter, Not
from search.words.terms import name_terms


@dataclass(frozen=True, slots=True)
class Reading:
    """A value, read: what it is, and what it means in words."""

    value: Any
    means: str


@dataclass(frozen=True, slots=True)
class FilterKind:
    """One filter.

    Attributes:
        example: as somebody types it.
        help: one line.
        read: from the text behind the colon, and today's date, to a value; raises QueryError.
        condition: on `images.id`, from that value; None where the catalogue knows.
        rows: rows of the catalogue's pictures, from that value; None where the database knows.
    """

    example: str
    help: str
    read: Callable[[str, date], Reading]
    condition: Callable[[Any], ColumnElement[bool]] | None = None
    rows: Callable[[Catalogue, Any], NDArray[np.int64]] | None = None


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
    """Ascending rows of the catalogue's pictures that fulfil all filters; None where there is none. One statement.

    Raises:
        QueryError: a filter is unknown or cannot have its value.
    """
    if not filters:
        return None
    conditions: list[ColumnElement[bool]] = []
    allowed: NDArray[np.int64] | None = None
    for one in filters:
        inner = one.part if isinstance(one, Not) else one
        if not isinstance(inner, Filter):
            raise QueryError("only a filter can stand among filters")
        kind, value = FILTERS.get(inner.name), read_filter(inner.name, inner.value, today or date.today()).value
        assert kind is not None  # read_filter checked it
        if kind.rows is not None:
            rows = kind.rows(catalogue, value)
            everything = np.arange(len(catalogue.images)) if allowed is None else allowed
            joined = np.setdiff1d if isinstance(one, Not) else np.intersect1d
            allowed = joined(everything, rows)
        elif kind.condition is not None:
            condition = kind.condition(value)
            # What is unknown of a picture (NULL) does not fulfil a filter, and so fulfils its opposite.
            conditions.append(not_(func.coalesce(condition, false())) if isinstance(one, Not) else condition)
    if conditions:
        ids = np.fromiter(session.scalars(select(Image.id).where(*conditions)), np.int64)
        rows = catalogue.rows_of_images(np.sort(ids))
        rows = np.unique(rows[rows >= 0])
        allowed = rows if allowed is None else np.intersect1d(allowed, rows)
    return allowed


def _read_date(value: str, today: date) -> Reading:
    first, last = read_days(value, today)
    return Reading((first, last), f"taken on {first}" if first == last else f"taken from {first} to {last}")


def _taken(days: tuple[date, date]) -> ColumnElement[bool]:
    """By the photographer's clock: `taken_at` is an instant, and the offset says how far that clock was from it."""
    first = datetime.combine(days[0], time.min, UTC)
    last = datetime.combine(days[1], time.max, UTC)
    at_utc = and_(Image.taken_at >= first, Image.taken_at <= last)
    zones = [
        and_(
            Image.taken_offset_min == offset,
            Image.taken_at >= _moved(first, offset),
            Image.taken_at <= _moved(last, offset),
        )
        for offset in _OFFSETS
    ]
    unusual = and_(Image.taken_offset_min.not_in(_OFFSETS), at_utc)
    return or_(and_(Image.taken_offset_min.is_(None), at_utc), unusual, *zones)


_OFFSETS = (*range(-720, 841, 30), 345, 525, 765)
"""Minutes east of UTC: every half hour, and Nepal, Eucla and the Chatham Islands."""


def _moved(moment: datetime, offset_min: int) -> datetime:
    """The instant at which a clock so far from UTC shows this; the ends of the calendar stay where they are."""
    try:
        return moment - timedelta(minutes=offset_min)
    except OverflowError:
        return moment


def _read_folder(value: str, today: date) -> Reading:
    return Reading(value, f"in a folder named {value}" if not value.startswith("/") else f"below {value}")


def _in_folder(catalogue: Catalogue, value: str) -> NDArray[np.int64]:
    """Pictures below a folder whose path holds all words of this one."""
    terms = [term for part in value.strip("/").split("/") for term in name_terms(part, indexed=False)]
    match = catalogue.match(terms)
    held = match.doc_rows[(match.covered >= 0.999) & (catalogue.doc_kind[match.doc_rows] == FOLDER)]
    return np.unique(catalogue.images_of(held)[1])


def _read_name(value: str, today: date) -> Reading:
    return Reading(like_pattern(value), f"file name {'like' if '*' in value else 'with'} {value}")


def _named(pattern: str) -> ColumnElement[bool]:
    return exists().where(File.image_id == Image.id, File.state == "indexed", File.name_key.like(pattern, escape="\\"))


def _read_choice(name: str, choices: Mapping[str, str]) -> Callable[[str, date], Reading]:
    def read(value: str, today: date) -> Reading:
        if value.lower() not in choices:
            raise QueryError(f"{name}:{value} is unknown", remedy=f"Known: {', '.join(choices)}.")
        return Reading(value.lower(), choices[value.lower()])

    return read


def _oriented(value: str) -> ColumnElement[bool]:
    sides = {"landscape": Image.width_px > Image.height_px, "portrait": Image.width_px < Image.height_px}
    return sides.get(value, Image.width_px == Image.height_px)


def _read_size(value: str, today: date) -> Reading:
    bound = read_bound(value)
    return Reading(bound, f"{bound.words} {bound.shown}")


def _sized(bound: Bound) -> ColumnElement[bool]:
    of: Mapping[str, ColumnElement[Any]] = {
        "mp": Image.width_px * Image.height_px,
        "px": Image.width_px + Image.height_px - _shorter(),
        "bytes": Image.size_bytes,  # type: ignore[dict-item]
    }
    return bound.holds(of[bound.of])


def _shorter() -> ColumnElement[Any]:
    from sqlalchemy import case  # noqa: PLC0415

    return case((Image.width_px < Image.height_px, Image.width_px), else_=Image.height_px)


def _has(value: str) -> ColumnElement[bool]:
    return exists().where((Region if value == "boxes" else Caption).image_id == Image.id)


def _spoken(value: str) -> ColumnElement[bool]:
    return exists().where(
        Caption.image_id == Image.id, or_(Caption.language == value, Caption.language.like(value + "-%", escape="\\"))
    )


def _from(pattern: str) -> ColumnElement[bool]:
    return or_(
        *(
            exists().where(table.image_id == Image.id, table.source.like(pattern, escape="\\"))
            for table in (Caption, Region)
        )
    )


FILTERS: Mapping[str, FilterKind] = {
    "date": FilterKind(
        'date:"last summer"', "when it was taken: a year, month, day, range or words", _read_date, _taken
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
        "what is known of it: boxes or captions",
        _read_choice("has", {"boxes": "with boxes", "captions": "with captions"}),
        _has,
    ),
    "id": FilterKind(
        "id:42",
        "one picture by its number",
        lambda value, today: Reading(read_number("id", value), f"picture {value}"),
        lambda value: Image.id == value,
    ),
    "lang": FilterKind(
        "lang:de",
        "a caption in this language",
        lambda value, today: Reading(
            value.lower().replace("\\", "").replace("%", "").replace("_", "-"), f"with a caption in {value}"
        ),
        _spoken,
    ),
    "name": FilterKind("name:IMG_20*", "part of the file's name; * for any characters", _read_name, _named),
    "orient": FilterKind(
        "orient:portrait",
        "how it lies",
        _read_choice(
            "orient", {"landscape": "wider than tall", "portrait": "taller than wide", "square": "as wide as tall"}
        ),
        _oriented,
    ),
    "size": FilterKind("size:>2mp", "pixels (mp, px of the longer side) or bytes (kb, mb)", _read_size, _sized),
    "source": FilterKind(
        "source:import",
        "who captioned or boxed it",
        lambda value, today: Reading(like_pattern(value, prefix=True), f"with a caption or box of {value}"),
        _from,
    ),
}
"""Every filter by its name. What more is known of pictures joins by one entry."""
