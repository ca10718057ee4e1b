"""Column types give back what they were given, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy import select

from search.db.schema import Root
from search.library import Library


def test_a_path_that_is_not_utf8_survives(library: Library) -> None:
    path = b"/pictures/caf\xe9/\xff\xfe.jpg".decode("utf-8", "surrogateescape")
    with library.write() as session:
        session.add(Root(path=path))
    with library.read() as session:
        assert session.scalar(select(Root.path)) == path
        assert session.scalar(select(Root.id).where(Root.path == path)) is not None


def test_an_instant_comes_back_as_utc_whatever_its_zone_was(library: Library) -> None:
    written = datetime(2024, 2, 29, 1, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with library.write() as session:
        session.add(Root(path="/a", last_scanned_at=written))
        session.add(Root(path="/b", last_scanned_at=None))
    with library.read() as session:
        read, nothing = session.scalars(select(Root.last_scanned_at).order_by(Root.path))
    assert read == written
    assert read.tzinfo is UTC
    assert nothing is None
