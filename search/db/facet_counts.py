"""How many of some pictures have each value of what is known of pictures: one statement for each kind of value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    SQLColumnExpression,
    String,
    cast,
    distinct,
    exists,
    func,
    literal,
    select,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from search.db.schema import Caption, Fact, Image, Region, TextBody
from search.db.told import told

MOST_VALUES = 2_000
"""Values of one kind that are counted, the most frequent ones: nobody reads more, and names of people may be many."""

MOST_COORDINATES = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """Pictures that are counted.

    Attributes:
        session: of the snapshot that they are of.
        ids: `(n,)` int64; None for all pictures that the database knows.
    """

    session: Session
    ids: NDArray[np.int64] | None

    def holds(self, column: SQLColumnExpression[Any]) -> ColumnElement[bool]:
        """That a column names one of them; all numbers are one parameter, so that it works with any number of them."""
        if self.ids is None:
            return true()
        if self.session.get_bind().dialect.name == "sqlite":
            numbers = func.json_each(json.dumps(self.ids.tolist())).table_valued("value")
            return column.in_(select(numbers.c.value))
        return column.in_(select(func.unnest(cast(literal(self.ids.tolist(), ARRAY(BigInteger)), ARRAY(BigInteger)))))


def formats(among: Among) -> list[tuple[str, int]]:
    """Kinds of file, the most frequent first."""
    query = select(Image.format, func.count()).where(among.holds(Image.id)).group_by(Image.format)
    return [(name, count) for name, count in among.session.execute(query.order_by(func.count().desc(), Image.format))]


def months(among: Among) -> dict[tuple[int, int], int]:
    """Pictures by the year and month in which they were taken, by the photographer's clock."""
    offset = func.coalesce(Image.taken_offset_min, 0)
    if among.session.get_bind().dialect.name == "sqlite":
        month = func.strftime("%Y-%m", Image.taken_at, cast(offset, String) + " minutes")
    else:
        months, weeks, days, hours = (literal(0) for _ in range(4))
        shift = func.make_interval(literal(0), months, weeks, days, hours, cast(offset, Integer))
        month = func.to_char(func.timezone("UTC", Image.taken_at) + shift, "YYYY-MM")
    named = select(month.label("month")).where(Image.taken_at.is_not(None), among.holds(Image.id)).subquery()
    found: dict[tuple[int, int], int] = {}
    for name, count in among.session.execute(select(named.c.month, func.count()).group_by(named.c.month)):
        if name is not None:  # a clock beyond the end of the calendar
            year, _, number = name.rpartition("-")
            found[int(year), int(number)] = count
    return found


def texts_of_facts(among: Among, name: str) -> list[tuple[str, str, int]]:
    """Values of a fact of words: as they are compared, as one picture has them, and of how many pictures."""
    count = func.count(distinct(Fact.image_id))
    query = (
        select(Fact.key, func.min(Fact.text), count)
        .where(Fact.name == name, among.holds(Fact.image_id))
        .group_by(Fact.key)
        .order_by(count.desc(), Fact.key)
        .limit(MOST_VALUES)
    )
    return [(key or "", text or "", number) for key, text, number in among.session.execute(query)]


def coordinates(among: Among) -> tuple[NDArray[np.float64], bool]:
    """`(n, 3)` float64, degrees north and east and the picture's id, and whether these are all that have a place.

    Left out are pictures of which two sources tell different places, and what is beyond `MOST_COORDINATES`.
    """
    sides: list[dict[int, float | None]] = []
    whole = True
    for name in ("latitude", "longitude"):  # of each an index alone is read, and they are paired here
        told: dict[int, float | None] = {}
        known = (Fact.name == name, Fact.number.between(-180, 180))  # a range, which only the right index serves
        query = select(Fact.image_id, Fact.number).where(*known, among.holds(Fact.image_id))
        rows = among.session.execute(query.limit(MOST_COORDINATES)).all()
        whole = whole and len(rows) < MOST_COORDINATES
        for image_id, number in rows:
            told[image_id] = number if told.get(image_id, number) == number else None
        sides.append(told)
    north, east = sides
    paired = [
        (one, other, key) for key, one in north.items() if one is not None and (other := east.get(key)) is not None
    ]
    return np.array(paired, np.float64).reshape(-1, 3), whole and len(paired) == len(north)


def sources(among: Among) -> list[tuple[str, int]]:
    """Who captioned, boxed or read, and how many pictures; the most frequent first."""
    said = union(
        *(
            select(table.source.label("source"), table.image_id.label("image_id")).where(
                told(table), among.holds(table.image_id)
            )
            for table in (Caption, Region)
        )
    ).subquery()
    query = select(said.c.source, func.count()).group_by(said.c.source)
    return [
        (name, number) for name, number in among.session.execute(query.order_by(func.count().desc(), said.c.source))
    ]


def fulfilling(among: Among, conditions: Sequence[ColumnElement[bool]]) -> list[int]:
    """How many of the pictures fulfil each of some conditions on `images.id`: all in one statement."""
    if not conditions:
        return []
    counts = [
        select(literal(place).label("place"), func.count().label("number"))
        .select_from(Image)
        .where(condition, among.holds(Image.id))
        for place, condition in enumerate(conditions)
    ]
    rows = among.session.execute(union_all(*counts))
    return [number for _, number in sorted((place, number) for place, number in rows)]


def phrases_of(session: Session, text_ids: Sequence[int]) -> set[int]:
    """Which of some texts are phrases that are told of a box that shows them."""
    shown = exists().where(Region.text_id == TextBody.id, Region.is_read.is_(False), told(Region))
    return set(session.scalars(select(TextBody.id).where(TextBody.id.in_(text_ids), shown)))
