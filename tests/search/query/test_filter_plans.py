"""No filter makes a database look through a table that an index could have led it through."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from search.catalogue.build import build
from search.db.schema import Caption, Fact, File, Image, Region, Root, TextBody
from search.library import Library
from search.query.filter_values import like_pattern, literal_start
from search.query.filters import FILTERS, fulfilling
from search.query.tree import Filter, Not

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SERVED = [
    "date:2024", "date:..2020", 'date:"last summer"', "format:jpeg", "id:42", "lang:de", "name:IMG_20*",
    "size:>9mb", "source:import", "camera:canon", "lens:*f/2.8", "iso:>=1600", "focal:50", "rating:5", "has:gps",
    "near:48.85,2.35,10km", "person:ana", "tag:quokka",
]  # fmt: skip
SERVED_AMONG_MANY = [
    "date:2003", "format:jpeg", "id:42", "lang:de", "name:IMG_20*", "size:>9mb", "source:import", "camera:canon",
    "iso:>=1600", "near:48.85,2.35,10km",
]  # fmt: skip
# Of what has no order, all is looked at; but in an index, which is a fraction of its table.
LOOKED_THROUGH = ["has:boxes", "has:captions", "name:beach", "orient:portrait", "size:>2mp", "size:<900px"]
TABLES = ("images", "files", "captions", "regions", "texts", "facts")


def _filter(wanted: str) -> Filter:
    name, _, value = wanted.partition(":")
    return Filter(name, value.strip('"'))


@contextmanager
def _statements(session: Session) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(session.get_bind(), "before_cursor_execute", note)
    yield seen
    event.remove(session.get_bind(), "before_cursor_execute", note)


def _plans(session: Session, filters: Sequence[Filter | Not]) -> list[str]:
    catalogue = build(session, 1)
    with _statements(session) as seen:
        fulfilling(session, catalogue, filters, NOW.date())
    assert seen
    explain = "EXPLAIN QUERY PLAN " if session.get_bind().dialect.name == "sqlite" else "EXPLAIN "
    cursor = session.connection().connection.cursor()
    lines = []
    for statement, parameters in seen:
        cursor.execute(explain + statement, parameters)
        lines += [str(row[-1]).strip() for row in cursor.fetchall()]
    return lines


def test_every_filter_of_the_database_is_among_these() -> None:
    named = {_filter(one).name for one in (*SERVED, *LOOKED_THROUGH)}
    assert named == {name for name, kind in FILTERS.items() if kind.condition is not None}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("wanted", SERVED)
def test_sqlite_finds_what_has_an_order_by_an_index(sqlite_library: Library, wanted: str, turned: bool) -> None:
    one = _filter(wanted)
    with sqlite_library.read() as session:
        plan = _plans(session, [Not(one) if turned else one])
    assert [line for line in plan if re.match(rf"SCAN ({'|'.join(TABLES)})\b", line)] == []


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("wanted", LOOKED_THROUGH)
def test_sqlite_looks_through_an_index_for_the_rest(sqlite_library: Library, wanted: str, turned: bool) -> None:
    one = _filter(wanted)
    with sqlite_library.read() as session:
        plan = _plans(session, [Not(one) if turned else one])
    scans = [line for line in plan if re.match(rf"SCAN ({'|'.join(TABLES)})\b", line)]
    assert scans
    assert all("USING COVERING INDEX" in line for line in scans), scans


def test_what_must_not_be_is_asked_of_the_pictures_that_the_other_filters_leave(sqlite_library: Library) -> None:
    with sqlite_library.read() as session:
        plan = _plans(session, [_filter("date:2024"), Not(_filter("orient:portrait"))])
    assert len(plan) == 1
    assert plan[0].startswith("SEARCH images USING INDEX ix_images_taken_at")


def test_postgres_finds_what_few_pictures_fulfil_by_an_index(library: Library) -> None:
    if library.database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has tests of its own")
    with library.write() as session:
        _fill(session, 5_000, every=500)
    with library.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    with library.read() as session:
        for wanted in SERVED_AMONG_MANY:
            for one in (_filter(wanted), Not(_filter(wanted))):
                scans = [
                    line for line in _plans(session, [one]) if re.search(rf"Seq Scan on ({'|'.join(TABLES)})", line)
                ]
                assert scans == [], wanted


def _fill(session: Session, count: int, every: int) -> None:
    """Many pictures, of which each that comes after so many is unlike the others."""
    numbers = range(1, count + 1)
    session.add(Root(id=1, path="/p"))
    session.flush()
    common = {"width_px": 900, "height_px": 600, "created_at": NOW}
    session.execute(
        insert(Image),
        [
            {"id": n, "sha256": f"{n:064x}", "format": "PNG" if n % every else "JPEG", **common,
             "size_bytes": n if n % every else 20_000_000, "taken_at": datetime(2000 + n % every, 5, 1, tzinfo=UTC)}
            for n in numbers
        ],
    )  # fmt: skip
    common = {"root_id": 1, "state": "indexed", "size_bytes": 1, "mtime_ns": 1, "device": "1", "seen_at": NOW}
    session.execute(
        insert(File),
        [
            {
                "path": f"/p/{n}",
                "name": "x",
                "name_key": f"{'dsc' if n % every else 'img'}_20{n}",
                "image_id": n,
                **common,
            }
            for n in numbers
        ],
    )
    session.execute(insert(TextBody), [{"id": n, "sha256": f"{n:064x}", "body": "x"} for n in numbers])
    said = [{"id": n, "image_id": n, "text_id": n, "source": "model" if n % every else "import"} for n in numbers]
    session.execute(
        insert(Caption), [{**one, "language": "en" if one["id"] % every else "de", "created_at": NOW} for one in said]
    )
    session.execute(insert(Region), [{**one, "x0": 0, "y0": 0, "x1": 1, "y1": 1} for one in said])
    words = {"camera": ("NIKON D850", "Canon EOS 90D"), "lens": ("50mm", "85mm f/1.8")}
    counts = {
        "iso": (100, 6400),
        "focal": (50, 200),
        "rating": (2, 5),
        "latitude": (-33, 48.85),
        "longitude": (151, 2.35),
    }
    rows = [(n, name, two[not n % every], None) for n in numbers for name, two in words.items()]
    rows += [(n, name, None, two[not n % every]) for n in numbers for name, two in counts.items()]
    told = [{"image_id": n, "name": name, "text": text, "key": text and text.lower(), "number": number, "source": "x"}
            for n, name, text, number in rows]  # fmt: skip
    session.execute(insert(Fact), told)


def test_the_same_pictures_are_found_among_many(library: Library) -> None:
    with library.write() as session:
        _fill(session, 200, every=50)
    rare = list(range(50, 201, 50))
    with library.read() as session:
        catalogue = build(session, 1)
        for wanted in (
            "format:jpeg",
            "lang:DE",
            "name:img_*",
            "name:img",
            "size:>9mb",
            "source:imp",
            "date:2000",
            "camera:canon",
            "lens:*1.8",
            "iso:>=1600",
            "focal:200mm",
            "rating:5",
            "near:48.8,2.3,20km",
        ):
            for one, expected in (
                (_filter(wanted), rare),
                (Not(_filter(wanted)), sorted({*range(1, 201)} - {*rare})),
            ):
                rows = fulfilling(session, catalogue, [one], NOW.date())
                assert rows is not None
                assert catalogue.images[np.asarray(rows)].tolist() == expected, wanted


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("IMG_20*", ("img_20", "img_21")), ("beach", ("", "")), ("*x", ("", "")), ("100%*", ("100%", "100&")),
        ("a\\b*c", ("a\\b", "a\\c")), ("\ud7ff*", ("\ud7ff", "\ue000")), ("a\U0010ffff*", ("a\U0010ffff", "")),
    ],
)  # fmt: skip
def test_the_beginning_of_a_pattern(value: str, expected: tuple[str, str]) -> None:
    assert literal_start(like_pattern(value)) == expected
