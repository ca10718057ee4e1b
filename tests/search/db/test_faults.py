"""What SQLite and Postgres say is told in words with a remedy: their codes as a table, and the real servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text

from search.db.faults import translate_driver_error
from search.db.session import Database, database_url, open_database, sqlite_module
from search.errors import CorruptionError, LibraryBusyError, LibraryError, LibraryFaultError
from search.library import Library
from vision.faults import Fault


class CodedError(Exception):
    """A driver's exception, as far as the table looks at it."""

    def __init__(self, words: str, **codes: Any) -> None:
        super().__init__(words)
        for name, value in codes.items():
            setattr(self, name, value)


SQLITE = [
    ("SQLITE_BUSY", 5, Fault.BUSY),
    ("SQLITE_BUSY_RECOVERY", 261, Fault.BUSY),
    ("SQLITE_LOCKED", 6, Fault.BUSY),
    ("SQLITE_NOMEM", 7, Fault.NO_MEMORY),
    ("SQLITE_READONLY", 8, Fault.READ_ONLY),
    ("SQLITE_READONLY_DIRECTORY", 1544, Fault.READ_ONLY),
    ("SQLITE_IOERR", 10, Fault.IO),
    ("SQLITE_IOERR_FSYNC", 1034, Fault.IO),
    ("SQLITE_IOERR_SHMSIZE", 4874, Fault.DISK_FULL),
    ("SQLITE_FULL", 13, Fault.DISK_FULL),
    ("SQLITE_CANTOPEN", 14, Fault.PERMISSION),
    ("SQLITE_PERM", 3, Fault.PERMISSION),
]


@pytest.mark.parametrize(("name", "code", "fault"), SQLITE)
def test_each_code_of_sqlite_has_its_kind(name: str, code: int, fault: Fault) -> None:
    assert getattr(sqlite_module(), name, code) == code  # as the driver has it
    told = translate_driver_error(
        CodedError("words", sqlite_errorcode=code, sqlite_errorname=name), "sqlite:///x", "sqlite"
    )
    check(told, fault)


@pytest.mark.parametrize(
    ("code", "name"), [(11, "SQLITE_CORRUPT"), (267, "SQLITE_CORRUPT_VTAB"), (26, "SQLITE_NOTADB")]
)
def test_damage_of_an_sqlite_file_is_corruption(code: int, name: str) -> None:
    told = translate_driver_error(
        CodedError("x", sqlite_errorcode=code, sqlite_errorname=name), "sqlite:///x", "sqlite"
    )
    assert isinstance(told, CorruptionError)


@pytest.mark.parametrize("code", [1, 19, 20, 21, 25])  # SQL logic, constraint, type, misuse, range: ours to mend
def test_a_defect_of_ours_stays_one(code: int) -> None:
    assert translate_driver_error(CodedError("x", sqlite_errorcode=code), "sqlite:///x", "sqlite") is None
    assert translate_driver_error(CodedError("x", sqlstate="42601"), "postgresql://x", "postgresql") is None
    assert translate_driver_error(CodedError("x", sqlstate="23505"), "postgresql://x", "postgresql") is None


POSTGRES = [
    ("53100", Fault.DISK_FULL),
    ("53200", Fault.NO_MEMORY),
    ("53300", Fault.TOO_MANY_FILES),
    ("25006", Fault.READ_ONLY),
    ("28P01", Fault.PERMISSION),
    ("28000", Fault.PERMISSION),
    ("42501", Fault.PERMISSION),
    ("3D000", Fault.UNREACHABLE),
    ("57P01", Fault.UNREACHABLE),
    ("57P02", Fault.UNREACHABLE),
    ("57P03", Fault.UNREACHABLE),
    ("08006", Fault.UNREACHABLE),
    ("57014", Fault.BUSY),
    ("55P03", Fault.BUSY),
    ("40001", Fault.BUSY),
    ("40P01", Fault.BUSY),
    ("58030", Fault.IO),
]


@pytest.mark.parametrize(("state", "fault"), POSTGRES)
def test_each_sqlstate_has_its_kind(state: str, fault: Fault) -> None:
    check(translate_driver_error(CodedError("words", sqlstate=state), "postgresql://x", "postgresql"), fault)


def check(told: LibraryError | None, fault: Fault) -> None:
    """It has its kind, names the database, and says what to do."""
    assert told is not None
    assert told.remedy
    assert "/x" in str(told)
    if fault is Fault.BUSY:
        assert isinstance(told, LibraryBusyError)
    else:
        assert isinstance(told, LibraryFaultError)
        assert told.fault is fault


def test_a_missing_database_and_user_are_named_with_their_remedies(postgres_cluster: Any, tmp_path: Path) -> None:
    with pytest.raises(LibraryFaultError, match="does not exist") as caught:
        Library.open(tmp_path, postgres_cluster.url("no_such_database"), create=True)
    assert (caught.value.fault, "createdb" in caught.value.remedy) == (Fault.UNREACHABLE, True)
    with pytest.raises(LibraryFaultError, match="does not exist") as caught:
        Library.open(tmp_path, postgres_cluster.url("postgres").replace("deixis@", "stranger@"), create=True)
    assert (caught.value.fault, "password" in caught.value.remedy) == (Fault.PERMISSION, True)


def test_a_server_that_ends_the_session_is_told_as_such_and_the_next_one_works(postgres_cluster: Any) -> None:
    for url in postgres_cluster.database(template="template0"):
        database = open_database(database_url(Path(), url), writing=True)
        with pytest.raises(LibraryFaultError) as caught, database.write() as session:
            own = session.scalar(text("SELECT pg_backend_pid()"))
            postgres_cluster.run(f"SELECT pg_terminate_backend({own}, 5000)")
            session.execute(text("SELECT 1"))
        assert caught.value.fault is Fault.UNREACHABLE
        with database.read() as session:
            assert session.scalar(text("SELECT 1")) == 1
        database.close()


def test_a_statement_that_takes_too_long_names_the_setting(postgres_cluster: Any) -> None:
    for url in postgres_cluster.database(template="template0"):
        database = Database(database_url(Path(), url))
        with pytest.raises(LibraryBusyError) as caught, database.read() as session:
            session.execute(text("SET LOCAL statement_timeout = 1"))
            session.execute(text("SELECT pg_sleep(10)"))
        assert "statement_timeout" in caught.value.remedy
        database.close()


def test_a_read_only_server_is_told_as_such(postgres_cluster: Any) -> None:
    for url in postgres_cluster.database(template="template0"):
        name = make_url(url).database
        postgres_cluster.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        database = Database(database_url(Path(), url))
        with pytest.raises(LibraryFaultError) as caught, database.write() as session:
            session.execute(text("CREATE TABLE x (y int)"))
        assert caught.value.fault is Fault.READ_ONLY
        database.close()


def test_a_full_server_says_that_too_many_are_connected(postgres_cluster: Any) -> None:
    for url in postgres_cluster.database(template="template0"):
        name = make_url(url).database
        postgres_cluster.run("CREATE ROLE guest LOGIN")
        postgres_cluster.run(f"ALTER DATABASE {name} CONNECTION LIMIT 1")
        guest = url.replace("deixis@", "guest@")
        with psycopg.connect(host=str(postgres_cluster.folder), user="guest", dbname=name):
            database = Database(database_url(Path(), guest))
            with pytest.raises(LibraryFaultError) as caught, database.read() as session:
                session.execute(text("SELECT 1"))
        assert caught.value.fault is Fault.TOO_MANY_FILES
        database.close()
        postgres_cluster.run("DROP ROLE guest")
