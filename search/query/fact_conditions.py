"""What filters ask of the facts that pictures carry; each is answered from a range of an index of theirs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from search.db.schema import Fact, Image
from search.errors import QueryError
from search.query.filter_values import Interval, Reading

_PLACE = re.compile(
    r"([-+]?\d{1,3}(?:\.\d{1,12})?)\s*,\s*([-+]?\d{1,3}(?:\.\d{1,12})?)(?:\s*,\s*(\d{1,9}(?:\.\d{1,6})?)\s*(km|m))?",
    re.IGNORECASE,
)
_DEFAULT_KM = 1.0
_MOST_KM = 1000.0
"""Further away, what is reckoned here without trigonometry is no distance any more."""

_KM_PER_DEGREE = 6371.0088 * math.pi / 180
"""Of a great circle, on a sphere of the earth's mean radius (IUGG)."""


@dataclass(frozen=True, slots=True)
class Around:
    """All that is at most so far from a place, in degrees and kilometres."""

    latitude: float
    longitude: float
    km: float


def noted(name: str) -> Callable[[Sequence[str]], ColumnElement[bool]]:
    """With a fact of this name that is one of some texts."""

    def condition(keys: Sequence[str]) -> ColumnElement[bool]:
        return Image.id.in_(select(Fact.image_id).where(Fact.name == name, Fact.key.in_(keys)))

    return condition


def noted_like(name: str) -> Callable[[str], ColumnElement[bool]]:
    """With a fact of this name that is like a pattern; of names there may be too many to tell each apart before."""

    def condition(pattern: str) -> ColumnElement[bool]:
        return Image.id.in_(select(Fact.image_id).where(Fact.name == name, Fact.key.like(pattern, escape="\\")))

    return condition


def counted(name: str) -> Callable[[Interval], ColumnElement[bool]]:
    """With a fact of this name whose number lies in an interval."""

    def condition(interval: Interval) -> ColumnElement[bool]:
        return Image.id.in_(select(Fact.image_id).where(Fact.name == name, interval.holds(Fact.number)))

    return condition


def facts_alike(name: str) -> Callable[[Session, str], list[str]]:
    """The texts of facts of this name that are like a pattern; an index leads from each to the next, for they are few.

    A pattern leaves the indexes of both databases unused, so that it is better compared with these than with all rows.
    """

    def alike(session: Session, pattern: str) -> list[str]:
        values = select(func.min(Fact.key).label("value")).where(Fact.name == name).cte("held", recursive=True)
        following = select(func.min(Fact.key)).where(Fact.name == name, Fact.key > values.c.value).scalar_subquery()
        values = values.union_all(select(following).where(values.c.value.is_not(None)))
        return list(session.scalars(select(values.c.value).where(values.c.value.like(pattern, escape="\\"))))

    return alike


def read_near(value: str, today: date) -> Reading:
    """Read `48.85,2.35,10km`; a kilometre where no distance is given.

    Raises:
        QueryError: it is no place, or too far around.
    """
    match = _PLACE.fullmatch(value.strip())
    around = None
    if match is not None:
        km = _DEFAULT_KM if match[3] is None else float(match[3]) / (1000 if match[4].lower() == "m" else 1)
        around = Around(float(match[1]), float(match[2]), km)
    if around is None or abs(around.latitude) > 90 or abs(around.longitude) > 180 or not 0 < around.km <= _MOST_KM:
        raise QueryError(
            f"near:{value} is no place",
            remedy="Degrees north and east, and at most 1000km: near:48.85,2.35,10km, near:-33.9,151.2,500m.",
        )
    shown = f"{around.km:g} km" if around.km >= 1 else f"{around.km * 1000:g} m"
    north, east = "NS"[around.latitude < 0], "EW"[around.longitude < 0]
    where = f"{abs(around.latitude):g}° {north}, {abs(around.longitude):g}° {east}"
    return Reading(around, f"taken at most {shown} from {where}")


def near(around: Around) -> ColumnElement[bool]:
    """Taken within a circle on the earth.

    Not every SQLite has a cosine. That of the middle latitude, which says how wide a degree of longitude is there, is
    its tangent at the centre: off by a hundredth of a per cent at 100 km from 70° N, and by 1 % at 1,000.
    """
    north, east = aliased(Fact), aliased(Fact)
    degrees = around.km / _KM_PER_DEGREE
    up = north.number - around.latitude
    apart = east.number - around.longitude
    across = case((apart > 180, apart - 360), (apart < -180, apart + 360), else_=apart)
    centre = math.radians(around.latitude)
    width = math.cos(centre) - up * (math.sin(centre) * math.pi / 360)
    within = (
        select(north.image_id)
        .join(east, and_(east.image_id == north.image_id, east.source == north.source, east.name == "longitude"))
        .where(
            north.name == "latitude",
            north.number.between(around.latitude - degrees, around.latitude + degrees),
            up * up + across * across * width * width <= degrees * degrees,
        )
    )
    return Image.id.in_(within)
