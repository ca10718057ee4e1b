"""Values of facets: how one is written as a token, how dates become a histogram, how places become circles."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Step: TypeAlias = Literal["month", "year", "decade", "century"]

_STEPS: tuple[tuple[Step, int], ...] = (("month", 1), ("year", 12), ("decade", 120), ("century", 1200))
_BARS = {"month": 36, "year": 60, "decade": 60, "century": 100}
"""Bars of a histogram before a longer step is taken."""

_PLACES = 12
_RADII_KM = (1, 5, 25, 100, 500)
_COVERED = 0.8
"""Share of the pictures with a place that the circles should cover together, if the smallest do."""

_KM_PER_DEGREE = 6371.0088 * math.pi / 180
_SQUARE_DEGREES = 0.01

_PLAIN = re.compile(r"[^\W_][\w.:/+-]*")
"""What needs no quotation marks behind a filter's colon."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value.

    Attributes:
        text: to be shown.
        count: how many of the pictures have it.
        token: to be added to the query, as docs/query-language.md has it.
        at_least: the token may find more of the pictures than have just this value.
    """

    text: str
    count: int
    token: str
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of one kind, the most frequent first; bars of a histogram in their order, empty ones too.

    Attributes:
        name: `phrase`, `folder`, `date`, `camera`, `place`, `format`, `source`, `person`, `tag` or `has`.
        more: there are further values, which are rarer.
        step: how much time a bar of `date` stands for.
    """

    name: str
    values: tuple[FacetValue, ...]
    more: bool = False
    step: Step | None = None


def filter_token(name: str, value: str) -> str:
    """A filter as it is typed; a quotation mark in the value becomes any character."""
    if '"' in value:
        value = f"*{value.replace(chr(34), '*')}*"
    return f"{name}:{value}" if _PLAIN.fullmatch(value) else f'{name}:"{value}"'


def histogram(months: Mapping[tuple[int, int], int]) -> Facet:
    """Bars from the first month to the last, of the shortest step of which there are not too many.

    Args:
        months: pictures by year and month.
    """
    if not months:
        return Facet("date", ())
    numbered = Counter({12 * year + month - 1: count for (year, month), count in months.items()})
    first, last = min(numbered), max(numbered)
    for step, size in _STEPS:
        bars = range(first // size, last // size + 1)
        if len(bars) <= _BARS[step]:
            break
    per_bar: Counter[int] = Counter()
    for number, count in numbered.items():
        per_bar[number // size] += count
    return Facet("date", tuple(_bar(bar, step, size, per_bar[bar]) for bar in bars), step=step)


def _bar(bar: int, step: Step, size: int, count: int) -> FacetValue:
    first = bar * size // 12
    if step == "month":
        text = f"{first:04d}-{bar % 12 + 1:02d}"
    elif step == "year":
        text = f"{first:04d}"
    else:  # there is no year 0, and after 9999 none that anybody can ask for
        text = f"{max(first, 1):04d}..{min(first + size // 12 - 1, 9999):04d}"
    return FacetValue(text, count, f"date:{text}")


def places(coordinates: NDArray[np.float64], *, whole: bool = True) -> tuple[FacetValue, ...]:
    """Circles around where most pictures were taken, of the smallest radius with which a dozen cover most of them.

    Each counts what the filter `near:` finds, by the same formula; circles may overlap.

    Args:
        coordinates: `(n, 3)`, as `search.db.facet_counts.coordinates` gives them.
        whole: whether these are all that the filter may find.
    """
    squares = _squares(coordinates)
    found: list[tuple[float, float]] = []
    for km in _RADII_KM:
        found, covered = _circles(squares, km)
        if covered >= _COVERED:
            break
    values = [_circle(coordinates, north, east, km, at_least=not whole) for north, east in found]
    return tuple(sorted(values, key=lambda value: -value.count))


def _squares(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(m, 3)`: what was taken within about a kilometre, the most first; the middle of it, and how much."""
    if len(coordinates) == 0:
        return np.empty((0, 3))
    square = np.round(coordinates[:, :2] / _SQUARE_DEGREES).astype(np.int64)
    _, which, often = np.unique(square[:, 0] * 100_000 + square[:, 1], return_inverse=True, return_counts=True)
    middle = [np.bincount(which, coordinates[:, side]) / often for side in (0, 1)]
    return np.stack([*middle, often.astype(np.float64)], axis=1)[np.argsort(-often, kind="stable")]


def _circles(squares: NDArray[np.float64], km: int) -> tuple[list[tuple[float, float]], float]:
    """Centres of circles, each where most of what is left was taken, and the share of the pictures in them."""
    left = squares
    centres: list[tuple[float, float]] = []
    while len(left) and len(centres) < _PLACES:
        north, east = float(left[0, 0]), float(left[0, 1])
        centres.append((north, east))
        left = left[~_within(left, north, east, km)]
    everything = squares[:, 2].sum()
    return centres, 1.0 - float(left[:, 2].sum() / everything) if everything else 1.0


def _within(points: NDArray[np.float64], north: float, east: float, km: float) -> NDArray[np.bool_]:
    """Which lie in a circle, as `search.query.fact_conditions.near` reckons it."""
    up, across = points[:, 0] - north, points[:, 1] - east
    across = np.where(across > 180, across - 360, np.where(across < -180, across + 360, across))
    width = math.cos(math.radians(north)) - up * (math.sin(math.radians(north)) * math.pi / 360)
    inside: NDArray[np.bool_] = up * up + across * across * width * width <= (km / _KM_PER_DEGREE) ** 2
    return inside


def _circle(coordinates: NDArray[np.float64], north: float, east: float, km: int, *, at_least: bool) -> FacetValue:
    degrees = [f"{round(side, 4) + 0.0:.4f}".rstrip("0").rstrip(".") for side in (north, east)]
    inside = _within(coordinates, float(degrees[0]), float(degrees[1]), km)
    count = len(np.unique(coordinates[inside, 2]))
    text = f"{', '.join(degrees)}, {km} km"
    return FacetValue(text, count, f"near:{','.join(degrees)},{km}km", at_least)
