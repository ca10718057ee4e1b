"""What is near is near on the earth, though no database reckons with sines; values that are none are told."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from sqlalchemy import select

from search.db.schema import Fact, Image
from search.errors import QueryError
from search.library import Library
from search.query.fact_conditions import Around, near, read_near
from search.query.filter_values import read_interval

TODAY = date(2026, 3, 10)


def _km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """By the haversine formula."""
    a, b, c, d = (math.radians(value) for value in (*one, *other))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6371.0088 * math.asin(math.sqrt(half))


@pytest.mark.parametrize("centre", [(0.1, 179.9), (48.85, 2.35), (-33.9, 151.2), (69.6, -179.95)])
@pytest.mark.parametrize(("km", "off"), [(1.0, 1e-4), (100.0, 1e-3), (1000.0, 0.03)])
def test_near_is_near_on_the_earth(library: Library, centre: tuple[float, float], km: float, off: float) -> None:
    random = np.random.default_rng(7)
    places = {}
    for number in range(1, 301):
        away, turn = km * random.uniform(0.5, 1.5) / 111.2, random.uniform(0, 2 * math.pi)
        north = max(-89.0, min(89.0, centre[0] + away * math.sin(turn)))
        east = (centre[1] + away * math.cos(turn) / math.cos(math.radians(centre[0])) + 540) % 360 - 180
        places[number] = (north, east)
    now = datetime.now(UTC)
    with library.database.write() as session:
        for number, (north, east) in places.items():
            session.add(Image(id=number, sha256=f"{number:064x}", width_px=1, height_px=1, format="PNG", size_bytes=1,
                              created_at=now))  # fmt: skip
            session.flush()
            session.add_all(
                Fact(image_id=number, name=name, number=value, source="exif")
                for name, value in (("latitude", north), ("longitude", east))
            )
        found = set(session.scalars(select(Image.id).where(near(Around(*centre, km)))))
    for number, place in places.items():
        far = _km(centre, place)
        if abs(far - km) > off * km:
            assert (number in found) == (far < km), (place, far)
    assert 0 < len(found) < 300


@pytest.mark.parametrize(
    "value", ["", "Paris", "48.85", "91,0", "0,181", "48.85,2.35,0km", "48.85,2.35,1001km", "48.85,2.35,10", "nan,1"]
)
def test_what_is_no_place_is_told(value: str) -> None:
    with pytest.raises(QueryError, match="no place"):
        read_near(value, TODAY)


def test_a_place_in_words() -> None:
    assert read_near("-33.9,151.2,500m", TODAY).means == "taken at most 500 m from 33.9° S, 151.2° E"
    assert read_near("48.85, 2.35", TODAY).means == "taken at most 1 km from 48.85° N, 2.35° E"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("50mm", (50.0, 50.0, False)), ("> 50 MM", (50.0, None, True)), ("<=1,8", (None, 1.8, False)),
        ("35..85mm", (35.0, 85.0, False)), ("35mm..85mm", (35.0, 85.0, False)), ("..85", (None, 85.0, False)),
    ],
)  # fmt: skip
def test_numbers_with_their_signs(value: str, expected: tuple[float | None, float | None, bool]) -> None:
    interval = read_interval("focal", value, "mm")
    assert (interval.least, interval.most, interval.open) == expected


@pytest.mark.parametrize("value", ["..", "wide", "-5", "1e9", "50cm", "9" * 40, "1/2"])
def test_what_is_no_number_is_told(value: str) -> None:
    with pytest.raises(QueryError, match="no number"):
        read_interval("focal", value, "mm")
