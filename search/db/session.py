"""Engines and transactions: how SQLite and Postgres are opened so that both keep the same promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from search.errors import CorruptionError, LibraryBusyError, LibraryError

DATABASE_FILE = "deixis.db"
"""Name of the default SQLite database inside the home folder."""

BUSY_TIMEOUT_MS = 5000
"""How long a statement waits for another writer before it gives up, unless told otherwise."""

WAL_SAFE_SINCE = (3, 51, 3)
"""First SQLite without the WAL-reset bug, which can corrupt a database that several connections checkpoint."""

_WRITER_LOCK = 0x0DE1_0515
"""Key of the Postgres advisory lock that gives `write()` the single writer that SQLite has by nature."""

_WRITES = "deixis_writes"


def database_url(home: Path, url: str | None) -> URL:
    """Where the library's database is.

    Args:
        home: the library's folder.
        url: an SQLAlchemy URL of SQLite or Postgres; None means `deixis.db` inside `home`.

    Raises:
        LibraryError: the URL cannot be read, or names another kind of database.
    """
    if not url:
        return URL.create("sqlite", database=str(home / DATABASE_FILE))
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise LibraryError("The database URL cannot be read", remedy=_URL_REMEDY) from error
    backend = "postgresql" if parsed.drivername == "postgres" else parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise LibraryError(f"{backend} is not a database that Deixis knows", remedy=_URL_REMEDY)
    if parsed.database in (None, "", ":memory:"):
        raise LibraryError("A library needs a database file; SQLite in memory has none", remedy=_URL_REMEDY)
    return parsed.set(drivername="sqlite")


_URL_REMEDY = "Use sqlite:////absolute/path/deixis.db or postgresql+psycopg://user@host/name, or leave it unset."


class Database:
    """A database with one kind of transaction for reading and one for writing.

    Reading sees one snapshot from its first statement to its end. Writing is serialised: at most one write
    transaction exists per database, so what it has read cannot change before it commits.

    Args:
        url: from `database_url`.
        busy_timeout_ms: how long to wait for another writer.
    """

    def __init__(self, url: URL, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self.engine = open_engine(url, busy_timeout_ms)
        reading: dict[str, Any] = {_WRITES: False}
        if self.engine.dialect.name == "postgresql":
            reading |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = sessionmaker(self.engine.execution_options(**reading), expire_on_commit=False)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._writing = sessionmaker(self._writer, expire_on_commit=False)

    @property
    def where(self) -> str:
        """The database's URL without its password, for messages."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one snapshot of the database; it cannot write.

        Raises:
            LibraryError: the database cannot be reached.
            CorruptionError: SQLite found its file damaged.
        """
        with domain_errors(self.engine), self._reading() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """The one writing session: commits at the end of the block, rolls back when it raises.

        Raises:
            LibraryBusyError: another writer did not finish in time.
            LibraryError: the disk is full, or the database cannot be reached.
            CorruptionError: SQLite found its file damaged.
        """
        with domain_errors(self.engine), self._writing.begin() as session:
            # Now rather than at the first statement, or two writers could both read before one of them waits.
            claim_writer(session.connection())
            yield session

    @contextmanager
    def connect_for_writing(self) -> Iterator[Connection]:
        """Like `write`, as a plain connection: for migrations."""
        with domain_errors(self.engine), self._writer.begin() as connection:
            claim_writer(connection)
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def open_engine(url: URL, busy_timeout_ms: int) -> Engine:
    """An engine whose transactions begin as `Database` needs them."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, busy_timeout_ms)
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=32,
        connect_args={"options": f"-c lock_timeout={busy_timeout_ms}", "connect_timeout": 10},
    )


def claim_writer(connection: Connection) -> None:
    """Wait until this transaction is the only writing one; SQLite has done so in BEGIN IMMEDIATE."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITER_LOCK})


def sqlite_module() -> ModuleType:
    """The newest SQLite at hand: `pysqlite3` brings its own, Python's own may have the WAL-reset bug."""
    try:
        import pysqlite3.dbapi2 as bundled  # noqa: PLC0415  # optional: there is no wheel for every platform
    except ImportError:
        return sqlite3
    module: ModuleType = bundled
    return module


def wal_is_safe() -> bool:
    """Whether this SQLite may write ahead; an older one keeps a rollback journal, where readers and the writer wait."""
    version: tuple[int, ...] = sqlite_module().sqlite_version_info
    return version >= WAL_SAFE_SINCE


def _sqlite_engine(url: URL, busy_timeout_ms: int) -> Engine:
    engine = create_engine(url, module=sqlite_module(), pool_size=4, max_overflow=32)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by its own lights: it would commit before DDL and ignore SAVEPOINT.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        cursor.execute("PRAGMA foreign_keys = ON")
        # A commit that a power cut can undo would bring back the row of a generation whose file is deleted already.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA mmap_size = 0")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, True)
        connection.exec_driver_sql(f"PRAGMA query_only = {int(not writes)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def settle_journal(database: Database) -> None:
    """Give an SQLite file its journal: write-ahead where that is safe, a rollback journal otherwise.

    Raises:
        LibraryBusyError: the file has a write-ahead log that this SQLite must not use, and another process has it open.
    """
    if database.engine.dialect.name != "sqlite":
        return
    wanted = "wal" if wal_is_safe() else "delete"
    with domain_errors(database.engine), database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is None:
            raise LibraryError("The database connection was closed")
        # Straight on the driver: the journal cannot change inside a transaction, and SQLAlchemy would begin one.
        if driver.execute("PRAGMA journal_mode").fetchone()[0] == wanted:
            return
        try:
            driver.execute(f"PRAGMA journal_mode = {wanted}")
        except sqlite_module().OperationalError as error:
            if wanted == "delete":
                raise LibraryBusyError(
                    "Another process has the database open with a newer SQLite",
                    remedy="Close it, or install pysqlite3 here as well.",
                ) from error
            # Another process is using the file right now; the next one to open it alone switches to write-ahead.


@contextmanager
def domain_errors(engine: Engine) -> Iterator[None]:
    """Turn what the database says about locks, disks and damage into errors of this house.

    Raises:
        LibraryBusyError: a lock was not granted in time.
        LibraryError: the disk is full, or the database cannot be reached.
        CorruptionError: the SQLite file is damaged or is none.
    """
    try:
        yield
    except DatabaseError as error:
        translated = _translate(error, engine)
        if translated is None:
            raise
        raise translated from error


def _translate(error: DatabaseError, engine: Engine) -> LibraryError | None:
    where = engine.url.render_as_string(hide_password=True)
    said = str(error.orig).strip()
    state = getattr(error.orig, "sqlstate", None)
    if state == "55P03" or "database is locked" in said or "database table is locked" in said:
        return LibraryBusyError(
            f"Another process is writing to {where}", remedy="Wait for it to finish, then try again."
        )
    if state == "53100" or "database or disk is full" in said:
        return LibraryError(f"The disk of {where} is full", remedy="Free some space, then run the command again.")
    if engine.dialect.name == "sqlite":
        if "malformed" in said or "not a database" in said:
            return CorruptionError(
                f"The database {where} is damaged: {said}", remedy="Restore it from a backup, or index again."
            )
        if "unable to open" in said or "readonly database" in said:
            return LibraryError(f"The database {where} cannot be used: {said}", remedy="Check its folder's rights.")
    elif isinstance(error, OperationalError) and (state is None or state[:2] in ("08", "28", "57", "3D")):
        return LibraryError(
            f"The database {where} cannot be reached: {said}", remedy="Check that it runs and that the URL is right."
        )
    return None
