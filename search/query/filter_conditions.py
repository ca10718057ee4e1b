"""What filters ask of the database: conditions on `images.id`, each written so that an index serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    SQLColumnExpression,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from search.db.schema import Caption, Fact, File, Image, Region
from search.db.told import told
from search.query.filter_values import Bound, literal_start

_OFFSETS = (*range(-720, 841, 30), 345, 525, 765)
"""Minutes east of UTC: every half hour, and Nepal, Eucla and the Chatham Islands."""


def taken(days: tuple[date, date]) -> ColumnElement[bool]:
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
    # The instants of these days anywhere on earth, said once more: of one range an index finds both ends.
    anywhere = and_(Image.taken_at >= _moved(first, max(_OFFSETS)), Image.taken_at <= _moved(last, min(_OFFSETS)))
    return and_(anywhere, or_(and_(Image.taken_offset_min.is_(None), at_utc), unusual, *zones))


def _moved(moment: datetime, offset_min: int) -> datetime:
    """The instant at which a clock so far from UTC shows this; the ends of the calendar stay where they are."""
    try:
        return moment - timedelta(minutes=offset_min)
    except OverflowError:
        return moment


def named(pattern: str) -> ColumnElement[bool]:
    """Of which a file's name is like this; all names are looked at only where nothing says how they begin."""
    held = select(File.image_id).where(_like(File.name_key, pattern), File.state == "indexed")
    start, behind = literal_start(pattern)
    if start:
        held = held.where(File.name_key >= start)
    if behind:
        held = held.where(File.name_key < behind)
    return Image.id.in_(held)


def oriented(value: str) -> ColumnElement[bool]:
    """Lying so: `landscape`, `portrait` or `square`."""
    sides = {"landscape": Image.width_px > Image.height_px, "portrait": Image.width_px < Image.height_px}
    return sides.get(value, Image.width_px == Image.height_px)


def sized(bound: Bound) -> ColumnElement[bool]:
    """Of so many pixels, pixels of the longer side, or bytes."""
    longer = case((Image.width_px < Image.height_px, Image.height_px), else_=Image.width_px)
    of: Mapping[str, ColumnElement[Any]] = {
        # In 64 bits: neither the product of two numbers of 32 nor what is asked for need fit into these on Postgres.
        "mp": cast(Image.width_px, BigInteger) * Image.height_px,
        "px": cast(longer, BigInteger),
        "bytes": Image.size_bytes,  # type: ignore[dict-item]
    }
    return bound.holds(of[bound.of])


def has(value: str) -> ColumnElement[bool]:
    """With `boxes`, `captions`, `gps` or `text`."""
    if value in ("boxes", "text"):
        return exists().where(Region.image_id == Image.id, Region.is_read.is_(value == "text"), told(Region))
    if value == "gps":
        return Image.id.in_(select(Fact.image_id).where(Fact.name == "latitude"))
    return exists().where(Caption.image_id == Image.id, told(Caption))


def spoken(languages: Sequence[str]) -> ColumnElement[bool]:
    """With a caption in one of these languages."""
    return Image.id.in_(select(Caption.image_id).where(Caption.language.in_(languages), told(Caption)))


def languages_alike(session: Session, value: str) -> list[str]:
    """The tags of captions that say this language, or a variety of it."""
    return _values(session, Caption.language, lambda tag: or_(tag == value, tag.like(value + "-%", escape="\\")))


def told_by(sources: Sequence[str]) -> ColumnElement[bool]:
    """With a caption or a box of one of these sources."""
    held = [select(table.image_id).where(table.source.in_(sources), told(table)) for table in (Caption, Region)]
    return Image.id.in_(union_all(*held))


def sources_alike(session: Session, pattern: str) -> list[str]:
    """The sources of captions and boxes whose names are like this."""
    columns = (Caption.source, Region.source)
    return sorted({one for column in columns for one in _values(session, column, lambda name: _like(name, pattern))})


def _like(column: SQLColumnExpression[Any], pattern: str) -> ColumnElement[bool]:
    return column.like(pattern, escape="\\")


def _values(
    session: Session,
    column: InstrumentedAttribute[Any],
    alike: Callable[[ColumnElement[Any]], ColumnElement[bool]],
) -> list[str]:
    """The distinct values of a column that are alike; an index leads from each to the next, for they are few.

    A pattern leaves the indexes of both databases unused, so that it is better compared with these than with all rows.
    """
    values = select(func.min(column).label("value")).cte("held", recursive=True)
    following = select(func.min(column)).where(column > values.c.value).scalar_subquery()
    values = values.union_all(select(following).where(values.c.value.is_not(None)))
    return list(session.scalars(select(values.c.value).where(alike(values.c.value))))
