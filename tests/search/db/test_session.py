"""Both databases keep the same promises about transactions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from search.db.driver import sqlite_module
from search.db.schema import Caption, Root, TextBody
from search.db.session import Database, wal_is_safe
from search.db.session import database_url as parse_url
from search.errors import CorruptionError, LibraryBusyError, LibraryError
from search.library import Library


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(parse_url(Path(), database_url), busy_timeout_ms=100)
    yield opened
    opened.close()


def _roots(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count(Root.id))) or 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, "sqlite:////homes/a/deixis.db"),
        ("", "sqlite:////homes/a/deixis.db"),
        ("sqlite:////elsewhere/my.db", "sqlite:////elsewhere/my.db"),
        ("sqlite+pysqlite:////elsewhere/my.db", "sqlite:////elsewhere/my.db"),
        ("postgresql+psycopg://me@host/name", "postgresql+psycopg://me@host/name"),
        ("postgresql://me@host/name", "postgresql+psycopg://me@host/name"),
        ("postgres://me@host/name", "postgresql+psycopg://me@host/name"),
    ],
)
def test_a_database_url_is_completed(url: str | None, expected: str) -> None:
    assert parse_url(Path("/homes/a"), url).render_as_string(hide_password=False) == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://me@host/name", "mysql is not a database that Deixis knows"),
        ("nonsense://x", "nonsense is not a database"),
        ("deixis.db", "cannot be read"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_an_unusable_database_url_is_refused_with_what_to_use(url: str, message: str) -> None:
    with pytest.raises(LibraryError, match=message) as caught:
        parse_url(Path("/homes/a"), url)
    assert "sqlite:///" in caught.value.remedy


def test_a_finished_write_is_there_and_a_failed_one_is_not(database: Database) -> None:
    with database.write() as session:
        session.add(Root(path="/kept"))
    with pytest.raises(RuntimeError, match="on purpose"), database.write() as session:
        session.add(Root(path="/lost"))
        session.flush()
        raise RuntimeError("on purpose")
    with database.read() as session:
        assert list(session.scalars(select(Root.path))) == ["/kept"]


def test_a_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises((DatabaseError, LibraryError)), database.read() as session:
        session.add(Root(path="/sneaked"))
        session.flush()
    assert _roots(database) == 0
    with database.write() as session:  # The same pooled connection may write again.
        session.add(Root(path="/allowed"))
    assert _roots(database) == 1


def test_a_reading_session_sees_one_moment(database: Database) -> None:
    with database.read() as session:
        before = session.scalar(select(func.count(Root.id)))
        with database.write() as writing:
            writing.add(Root(path="/new"))
        assert session.scalar(select(func.count(Root.id))) == before == 0
    assert _roots(database) == 1


def test_a_second_writer_is_told_that_the_library_is_busy(database: Database) -> None:
    with database.write() as session:
        session.add(Root(path="/first"))
        with pytest.raises(LibraryBusyError, match="writing") as caught, database.write():
            pytest.fail("two writers at once")
        assert "Wait" in caught.value.remedy
    with database.write() as session:
        session.add(Root(path="/second"))
    assert _roots(database) == 2


def test_a_savepoint_can_be_rolled_back_alone(database: Database) -> None:
    with database.write() as session:
        session.add(Root(path="/kept"))
        session.flush()
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(Root(path="/kept"))
            session.flush()
        session.add(Root(path="/also kept"))
    assert _roots(database) == 2


def test_a_new_table_is_rolled_back_with_its_transaction(database: Database) -> None:
    with pytest.raises(RuntimeError, match="on purpose"), database.write() as session:
        session.execute(text("CREATE TABLE half_made (id INTEGER)"))
        raise RuntimeError("on purpose")
    with pytest.raises(DatabaseError, match="half_made"), database.read() as session:
        session.execute(text("SELECT * FROM half_made"))


def test_a_text_in_use_cannot_be_deleted(library: Library) -> None:
    with library.write() as session:
        body = TextBody(sha256="0" * 64, body="a dog")
        session.add(body)
        session.flush()
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(Caption(image_id=1, text_id=body.id, source="import", created_at=None))
            session.flush()


def test_sqlite_is_set_up_for_durable_commits(sqlite_library: Library) -> None:
    expected = {"foreign_keys": 1, "synchronous": 2, "mmap_size": 0, "busy_timeout": 5000}
    with sqlite_library.read() as session:
        assert {name: session.scalar(text(f"PRAGMA {name}")) or 0 for name in expected} == expected
        assert session.scalar(text("PRAGMA journal_mode")) == ("wal" if wal_is_safe() else "delete")


def test_an_sqlite_with_the_wal_bug_keeps_a_rollback_journal(tmp_path: Path) -> None:
    script = """
import sys
sys.modules["pysqlite3"] = None
from pathlib import Path
from sqlalchemy import text
from search.db.session import wal_is_safe
from search.library import Library
with Library.open(Path(sys.argv[1]), create=True) as library, library.read() as session:
    print(wal_is_safe(), session.scalar(text("PRAGMA journal_mode")))
"""
    import sqlite3

    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "home")], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == (
        ["True", "wal"] if sqlite3.sqlite_version_info >= (3, 51, 3) else ["False", "delete"]
    )
    with Library.open(tmp_path / "home") as library, library.read() as session:
        assert session.scalar(text("PRAGMA journal_mode")) == ("wal" if wal_is_safe() else "delete")


def test_a_full_disk_is_said_in_words_and_nothing_stays(sqlite_library: Library) -> None:
    """SQLite's own limit on pages answers exactly as a full disk does."""
    with pytest.raises(LibraryError, match="is full") as caught, sqlite_library.write() as session:
        session.execute(text("PRAGMA max_page_count = 1"))  # As many as there are.
        session.add_all(Root(path="/" + "x" * 5000 + str(number)) for number in range(100))
        session.flush()
    assert "Free some space" in caught.value.remedy
    with sqlite_library.read() as session:
        assert session.scalar(select(func.count(Root.id))) == 0


def test_a_damaged_sqlite_file_is_corruption(tmp_path: Path) -> None:
    (tmp_path / "deixis.db").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(CorruptionError, match="not a database"):
        Library.open(tmp_path)


def test_an_unreachable_server_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="cannot be reached") as caught:
        Library.open(tmp_path, f"postgresql://me:secret@/name?host={tmp_path}", create=True)
    assert "secret" not in str(caught.value)


def test_the_bundled_sqlite_is_preferred() -> None:
    assert hasattr(sqlite_module(), "sqlite_version_info")
