"""Engines and transactions: how SQLite and Postgres are opened so that both keep the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from search.db.driver import DATABASE_FILE, sqlite_module
from search.db.faults import translate, translate_driver_error
from search.db.readonly import read_only_engine, steady, why_not_writable
from search.errors import LibraryBusyError, LibraryError, LibraryFaultError

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
    except (ArgumentError, ValueError) as error:  # a port that is no number is a ValueError
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
        why_read_only: why nothing can be written, where that is known already; see `open_database`.
    """

    def __init__(
        self, url: URL, busy_timeout_ms: int = BUSY_TIMEOUT_MS, *, why_read_only: LibraryFaultError | None = None
    ) -> None:
        self._file = Path(url.database or "") if url.get_backend_name() == "sqlite" else None
        if self._file is not None and self._file.exists():
            why_read_only = why_read_only or why_not_writable(self._file, self._file.parent)
        self.why_read_only = why_read_only
        self.engine = open_engine(url, busy_timeout_ms, read_only=why_read_only is not None)
        reading: dict[str, Any] = {_WRITES: False}
        if self.engine.dialect.name == "postgresql":
            reading |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._reading = sessionmaker(self.engine.execution_options(**reading), expire_on_commit=False)
        self._writer = self.engine.execution_options(**{_WRITES: True})
        self._writing = sessionmaker(self._writer, expire_on_commit=False)
        self.fence: Callable[[Session], None] | None = None
        """Called at the beginning of every write; raises where this process may not write any more."""

    @property
    def where(self) -> str:
        """The database's URL without its password, for messages."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one snapshot of the database; it cannot write.

        Raises:
            LibraryFaultError: the database cannot be reached or read.
            LibraryBusyError: it was changed while it was read, where it can only be read.
            CorruptionError: SQLite found its file damaged.
        """
        with domain_errors(self.engine), self._steady(), self._reading() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """The one writing session: commits at the end of the block, rolls back when it raises.

        Raises:
            LibraryBusyError: another writer did not finish in time.
            LibraryFaultError: the disk is full or read-only, or the database cannot be reached.
            CorruptionError: SQLite found its file damaged.
        """
        self.require_writable()
        with domain_errors(self.engine), self._writing.begin() as session:
            # Now rather than at the first statement, or two writers could both read before one of them waits.
            claim_writer(session.connection())
            if self.fence is not None:
                self.fence(session)
            yield session

    @contextmanager
    def connect_for_writing(self) -> Iterator[Connection]:
        """Like `write`, as a plain connection: for migrations."""
        self.require_writable()
        with domain_errors(self.engine), self._writer.begin() as connection:
            claim_writer(connection)
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def require_writable(self) -> None:
        """Insist on a database that can be written.

        Raises:
            LibraryFaultError: it can only be read; says why.
        """
        why = self.why_read_only
        if why is not None:
            raise LibraryFaultError(str(why.args[0]), fault=why.fault, remedy=why.remedy)

    def _steady(self) -> AbstractContextManager[None]:
        return nullcontext() if self._file is None or self.why_read_only is None else steady(self._file)


def open_database(url: URL, *, writing: bool) -> Database:
    """The database with its journal settled; only for reading where it cannot be written and need not be.

    Even to read, SQLite makes a log beside a file that writes ahead; where it cannot, nobody is taken to change it.

    Args:
        url: from `database_url`.
        writing: insist on a database that can be written.

    Raises:
        LibraryFaultError: it can neither be written nor read, or `writing` is on and it cannot be written.
    """
    database = Database(url)
    try:
        if writing:
            database.require_writable()
        settle_journal(database)
    except LibraryFaultError as error:
        database.close()
        if writing or url.get_backend_name() != "sqlite" or database.why_read_only is not None:
            raise
        reading = Database(url, why_read_only=error)
        try:
            settle_journal(reading)
        except LibraryError:
            reading.close()
            raise error from None  # the first one says what is wrong; the second only that this does not help
        return reading
    except BaseException:
        database.close()
        raise
    return database


def open_engine(url: URL, busy_timeout_ms: int, *, read_only: bool = False) -> Engine:
    """An engine whose transactions begin as `Database` needs them."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, busy_timeout_ms, read_only=read_only)
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


def wal_is_safe() -> bool:
    """Whether this SQLite may write ahead; an older one keeps a rollback journal, where readers and the writer wait."""
    version: tuple[int, ...] = sqlite_module().sqlite_version_info
    return version >= WAL_SAFE_SINCE


def _sqlite_engine(url: URL, busy_timeout_ms: int, *, read_only: bool) -> Engine:
    if read_only:
        engine = read_only_engine(url, sqlite_module())
    else:
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
        LibraryFaultError: the file cannot be opened.
    """
    if database.engine.dialect.name != "sqlite":
        return
    wanted = "wal" if wal_is_safe() else "delete"
    with domain_errors(database.engine), database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is None:
            raise LibraryError("The database connection was closed")
        # Straight on the driver: the journal cannot change inside a transaction, and SQLAlchemy would begin one.
        found = driver.execute("PRAGMA journal_mode").fetchone()[0]
        if found != wanted and database.why_read_only is None:
            try:
                driver.execute(f"PRAGMA journal_mode = {wanted}")
            except sqlite_module().OperationalError as error:
                told = translate_driver_error(error, database.where, "sqlite")
                if wanted == "delete" and not isinstance(told, LibraryBusyError):
                    raise
                if wanted == "delete":
                    raise LibraryBusyError(
                        "Another process has the database open with a newer SQLite",
                        remedy="Close it, or install pysqlite3 here as well.",
                    ) from error
                # Another process is using the file right now, or the disk is full; without the log it reads as well.
        # Only now are file and log really opened: what is wrong with them is to be known before anything begins.
        driver.execute("SELECT count(*) FROM sqlite_schema").fetchone()


@contextmanager
def domain_errors(engine: Engine) -> Iterator[None]:
    """Turn what the database says about locks, disks, servers and damage into errors of this house.

    Raises:
        LibraryBusyError: a lock was not granted in time.
        LibraryFaultError: the disk is full or read-only, or the database cannot be reached, …
        CorruptionError: the SQLite file is damaged or is none.
    """
    where, dialect = engine.url.render_as_string(hide_password=True), engine.dialect.name
    try:
        yield
    except SQLAlchemyError as error:
        translated = translate(error, where, dialect)
        if translated is None:
            raise
        raise translated from error
    except engine.dialect.loaded_dbapi.Error as error:  # from a statement that went past SQLAlchemy
        translated = translate_driver_error(error, where, dialect)
        if translated is None:
            raise
        raise translated from error
