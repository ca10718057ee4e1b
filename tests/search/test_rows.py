"""A row that cannot be what was written is a finding with its table and id, never a traceback."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, delete
from stock import NOW, Stock

from search.captioning import begin_generation
from search.checks.finding import REMEDIES
from search.db.schema import Base, CalibrationRow, Caption, Fact, Job, JobEvent, Region, Suspect
from search.errors import CorruptionError, LibraryError
from search.maintenance import rebuild, verify
from tests.vision.address_space import with_little_memory


@pytest.fixture
def shelf(stock: Stock) -> Stock:
    """Pictures, captions, a region: at least one row in every table."""
    fill(stock)
    return stock


@pytest.fixture
def sqlite_shelf(sqlite_stock: Stock) -> Stock:
    """The same on SQLite, which holds no value to its column's type."""
    fill(sqlite_stock)
    return sqlite_stock


def fill(stock: Stock) -> None:
    stock.add_pictures(4)
    stock.add_captions(["a brown bear", "a dog", "two zebras"], stock.images[0])
    with stock.library.write() as session:
        caption = session.query(Caption).first()
        assert caption is not None
        box = {"x0": 0.1, "y0": 0.1, "x1": 0.9, "y1": 0.9, "source": "import", "score": 0.5}
        session.add(Region(image_id=caption.image_id, caption_id=caption.id, text_id=caption.text_id, **box))
        session.add(Job(kind="index", arguments={}, state="done", token=1, attempts=1, crashes=0, created_at=NOW))
        session.flush()
        session.add(JobEvent(job_id=1, at=NOW, what="done"))
        session.add(Suspect(work="pictures", item="0" * 64, crashes=1, name="a.jpg", last_at=NOW))
        begin_generation(session, "kosmos2:0123456789ab", "en", "brief")
        session.add(Fact(image_id=caption.image_id, name="camera", text="X100", key="x100", source="exif"))
    stock.publish()
    assert verify(stock.library).findings == []


def spoil(stock: Stock, table: str, column: str, value: str, row: int = 1) -> None:
    """Set a column to an SQL expression, past every promise that the database makes."""
    with stock.library.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name == "postgresql":
            cursor = driver.cursor()
            cursor.execute(f"SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'c'")
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
            cursor.execute(f"UPDATE {table} SET {column} = {value} WHERE id = {row}")
            driver.commit()
        else:
            driver.execute("PRAGMA query_only = 0")
            driver.execute("PRAGMA ignore_check_constraints = 1")
            driver.execute("PRAGMA foreign_keys = 0")
            driver.execute(f"UPDATE {table} SET {column} = {value} WHERE id = {row}")
            driver.execute("PRAGMA ignore_check_constraints = 0")
            driver.execute("PRAGMA foreign_keys = 1")
            if driver.in_transaction:
                driver.commit()


def found(stock: Stock) -> set[tuple[str, str | None, int | None]]:
    return {(finding.code, finding.table, finding.row) for finding in verify(stock.library).findings}


BOTH: list[tuple[str, str, str, str]] = [
    ("texts", "body", "'a brown bear?'", "text_digest"),
    ("facts", "key", "'X100'", "row_invalid"),
    ("facts", "number", "1.5", "row_invalid"),
    ("facts", "source", "''", "row_invalid"),
    ("texts", "body", "''", "text_digest"),
    ("texts", "sha256", f"'{'0' * 64}'", "text_digest"),
    ("images", "sha256", "'not hex'", "row_invalid"),
    ("images", "width_px", "0", "row_invalid"),
    ("images", "size_bytes", "-5", "row_invalid"),
    ("images", "format", "''", "row_invalid"),
    ("images", "taken_offset_min", "90000", "row_invalid"),
    ("files", "state", "'lost'", "row_invalid"),
    ("files", "name", "'other.png'", "row_invalid"),
    ("files", "name_key", "'other'", "row_invalid"),
    ("files", "device", "'x'", "row_invalid"),
    ("files", "image_id", "NULL", "row_invalid"),
    ("captions", "language", "'not one'", "row_invalid"),
    ("captions", "source", "' '", "row_invalid"),
    ("regions", "x0", "0.95", "row_invalid"),
    ("regions", "y1", "1.5", "row_invalid"),
    ("regions", "span_start", "3", "row_invalid"),
    ("regions", "source", "''", "row_invalid"),
    ("embeddings", "kind", "'sound'", "row_invalid"),
    ("generations", "sha256", "'x'", "row_invalid"),
    ("models", "active", "{false}", "no_active_model"),
    ("models", "dim", "-1", "row_invalid"),
]

SQLITE: list[tuple[str, str, str]] = [
    ("texts", "body", "CAST(x'61ff62' AS TEXT)"),
    ("texts", "sha256", "x'00'"),
    ("images", "created_at", "'yesterday'"),
    ("images", "created_at", "'2024-02-31 00:00:00'"),
    ("images", "created_at", "12345"),
    ("images", "width_px", "'wide'"),
    ("images", "width_px", "1.5"),
    ("images", "taken_at", "'99999-01-01 00:00:00'"),
    ("files", "path", "'/text/and/no/bytes'"),
    ("files", "path", "x'72656c6174697665'"),
    ("files", "mtime_ns", "1e300"),
    ("files", "seen_at", "''"),
    ("roots", "rules", "'{'"),
    ("models", "facts", "'{\"dim\":'"),
    ("models", "facts", "x'00'"),
    ("models", "active", "2"),
    ("models", "created_at", "CAST(x'ff' AS TEXT)"),
    ("captions", "created_at", "'now'"),
    ("regions", "x0", "'left'"),
    ("regions", "x1", "9e999"),
    ("regions", "score", "-9e999"),
    ("segments", "file_name", "'../../etc/passwd'"),
    ("segments", "committed_rows", "'many'"),
    ("segments", "committed_bytes", "-1"),
    ("embeddings", "segment_row", "'first'"),
    ("generations", "vectors", "'all'"),
    ("library", "created_at", "'long ago'"),
]

POSTGRES = [
    ("images", "taken_at", "'infinity'"),
    ("images", "created_at", "'12345-01-01'"),
    ("images", "created_at", "'0044-03-15 BC'"),
    ("regions", "score", "'NaN'"),
    ("regions", "x1", "'NaN'"),
]


def _false(stock: Stock) -> str:
    return "0" if stock.library.engine.dialect.name == "sqlite" else "false"


@pytest.mark.parametrize(("table", "column", "value", "code"), BOTH)
def test_a_wrong_value_is_named_with_its_row(shelf: Stock, table: str, column: str, value: str, code: str) -> None:
    spoil(shelf, table, column, value.format(false=_false(shelf)))
    seen = found(shelf)
    assert ((code, None, None) if code == "no_active_model" else (code, table, 1)) in seen
    if table != "generations":  # Those are made anew, and then they are right.
        survives(shelf, code)


def survives(stock: Stock, code: str) -> None:
    """`rebuild` does not bring back what it has no copy of, so it must not make it look well."""
    for compact in (False, True):
        with contextlib.suppress(LibraryError):  # A refusal is as good.
            rebuild(stock.library, compact=compact)
        assert code in {finding.code for finding in verify(stock.library).findings}


@pytest.mark.parametrize(("table", "column", "value"), SQLITE)
def test_what_no_column_may_hold_is_named_with_its_row(
    sqlite_shelf: Stock, table: str, column: str, value: str
) -> None:
    spoil(sqlite_shelf, table, column, value)
    assert ("row_invalid", table, 1) in found(sqlite_shelf)


@pytest.mark.parametrize(("table", "column", "value"), POSTGRES)
def test_what_python_cannot_hold_is_named_with_its_row(
    request: pytest.FixtureRequest, shelf: Stock, table: str, column: str, value: str
) -> None:
    if shelf.library.engine.dialect.name != "postgresql":
        pytest.skip("values of Postgres")
    spoil(shelf, table, column, value)
    assert ("row_invalid", table, 1) in found(shelf)


@pytest.mark.parametrize(("table", "column", "value"), [("models", "dim", "-1"), ("segments", "kind", "'sound'")])
def test_rebuild_refuses_to_judge_vectors_by_rows_that_are_damaged(
    shelf: Stock, table: str, column: str, value: str
) -> None:
    before = {path: path.read_bytes() for path in shelf.library.vectors.segments_folder.iterdir()}
    spoil(shelf, table, column, value)
    with pytest.raises(CorruptionError, match=f"{table} row 1"):
        rebuild(shelf.library, compact=True)
    assert {path: path.read_bytes() for path in shelf.library.vectors.segments_folder.iterdir()} == before


def test_a_file_of_another_folder_than_its_root_is_named(shelf: Stock) -> None:
    spoil(shelf, "roots", "path", "'/elsewhere'" if _false(shelf) == "false" else "CAST('/elsewhere' AS BLOB)")
    assert ("file_outside_root", "files", 1) in found(shelf)


def test_importing_a_damaged_text_again_mends_it(shelf: Stock) -> None:
    from search.db.annotations import text_ids

    sqlite = _false(shelf) == "0"
    spoil(shelf, "texts", "body", "CAST(x'61ff62' AS TEXT)" if sqlite else "'a brown bear?'")
    assert (
        "row_invalid" in {code for code, *_ in found(shelf)} if sqlite else ("text_digest", "texts", 1) in found(shelf)
    )
    with shelf.library.write() as session:
        text_ids(session, ["a brown bear"])
    assert found(shelf) == set()
    rebuild(shelf.library)
    assert found(shelf) == set()


@pytest.mark.parametrize(("facts", "codes"), [({"line": 1.5}, set()), ([1.5], {"row_invalid"})])
def test_what_scores_mean_is_an_object(shelf: Stock, facts: Any, codes: set[str]) -> None:
    with shelf.library.write() as session:
        session.add(CalibrationRow(model_id=shelf.model.id, query_class="words", facts=facts, created_at=NOW))
    try:
        assert {code for code, *_ in found(shelf)} == codes
    finally:
        with shelf.library.write() as session:
            session.execute(delete(CalibrationRow))


ANYTHING = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.binary(max_size=12),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
PLACES = [
    (table, column)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if column.name != "id" and "id" in table.c
]


NUMBERS = [(table, column) for table, column in PLACES if column.type.python_type is int]


def test_no_number_takes_all_memory(sqlite_shelf: Stock) -> None:
    def every_number() -> list[str]:
        return [
            f"{table.name}.{column.name} = {value}"
            for table, column in NUMBERS
            for value in (2**31 - 1, 2**62)
            if not _is_survived(sqlite_shelf, table, column, value)
        ]

    assert with_little_memory(every_number, 1 << 30) == []


def _is_survived(shelf: Stock, table: Table, column: Any, value: int) -> bool:
    with kept_as_it_was(shelf, table, column) as driver:
        try:
            driver.execute(f"UPDATE {table.name} SET {column.name} = ? WHERE id = 1", (value,))
            verify(shelf.library)
        except driver.IntegrityError:
            pass
        except MemoryError:
            return False
    return True


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_no_value_anywhere_stops_verify(sqlite_shelf: Stock, place: tuple[Table, Any], value: Any) -> None:
    table, column = place
    with kept_as_it_was(sqlite_shelf, table, column) as driver:
        try:
            driver.execute(f"UPDATE {table.name} SET {column.name} = ? WHERE id = 1", (value,))
        except driver.IntegrityError:
            return
        report = verify(sqlite_shelf.library)
        assert {finding.code for finding in report.findings} <= set(REMEDIES)
        json.dumps([finding.message for finding in report.findings]).encode()


@contextlib.contextmanager
def kept_as_it_was(shelf: Stock, table: Table, column: Any) -> Iterator[Any]:
    """A connection that keeps no promise, and at the end the first row's value as it was."""
    with shelf.library.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        for pragma in ("query_only = 0", "ignore_check_constraints = 1", "foreign_keys = 0"):
            driver.execute(f"PRAGMA {pragma}")
        driver.execute("INSERT OR IGNORE INTO calibrations VALUES (1, 1, 'words', '{}', '2026-01-01 00:00:00')")
        driver.execute("INSERT OR IGNORE INTO readings VALUES (1, 1, 'reader:1', 0, '2026-01-01 00:00:00')")
        driver.execute("INSERT OR IGNORE INTO read_words VALUES (1, 'dog')")
        driver.execute(f"INSERT OR IGNORE INTO archives VALUES (1, x'2f61', 1, 1, 1, '{64 * 'a'}', 1, '[]')")
        before = driver.execute(f"SELECT {column.name} FROM {table.name} WHERE id = 1").fetchone()
        try:
            yield driver
        finally:
            if before is not None:
                driver.execute(f"UPDATE {table.name} SET {column.name} = ? WHERE id = 1", before)
