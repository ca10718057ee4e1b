"""What SQLite and Postgres say about locks, disks, servers and damage, as errors of this house: a table by code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from search.errors import CorruptionError, LibraryBusyError, LibraryError, LibraryFaultError
from vision.faults import Fault

_WAIT = "Wait for it to finish, then try again."
_CORRUPT = "Restore it from a backup, or index again."

_SQLITE = {
    5: Fault.BUSY,  # SQLITE_BUSY
    6: Fault.BUSY,  # SQLITE_LOCKED
    15: Fault.BUSY,  # SQLITE_PROTOCOL: the lock could not be had after many attempts
    3: Fault.PERMISSION,  # SQLITE_PERM
    23: Fault.PERMISSION,  # SQLITE_AUTH
    7: Fault.NO_MEMORY,  # SQLITE_NOMEM
    8: Fault.READ_ONLY,  # SQLITE_READONLY
    10: Fault.IO,  # SQLITE_IOERR
    13: Fault.DISK_FULL,  # SQLITE_FULL
    14: Fault.PERMISSION,  # SQLITE_CANTOPEN
    18: Fault.OTHER,  # SQLITE_TOOBIG
    22: Fault.OTHER,  # SQLITE_NOLFS: a file beyond what this system can address
}
"""Primary result codes (https://sqlite.org/rescode.html); an extended code's low byte is its primary one."""

_SQLITE_EXTENDED = {
    10 | 12 << 8: Fault.NO_MEMORY,  # SQLITE_IOERR_NOMEM
    10 | 19 << 8: Fault.DISK_FULL,  # SQLITE_IOERR_SHMSIZE: the log's index could not grow
    10 | 6 << 8: Fault.DISK_FULL,  # SQLITE_IOERR_TRUNCATE
}
_SQLITE_DAMAGED = {11, 26}  # SQLITE_CORRUPT, SQLITE_NOTADB

_SQLITE_REMEDIES = {
    Fault.READ_ONLY: "It can be searched and served as it is; to change it, make the database and its folder writable.",
    Fault.PERMISSION: "Check that the database and its folder are there and may be read and written by this user.",
}

_POSTGRES = (
    ("55P03", Fault.BUSY),  # lock_not_available
    ("40", Fault.BUSY),  # deadlock, serialisation
    ("55006", Fault.BUSY),  # object_in_use
    ("53100", Fault.DISK_FULL),
    ("53200", Fault.NO_MEMORY),
    ("53300", Fault.TOO_MANY_FILES),  # too_many_connections
    ("53", Fault.NO_MEMORY),  # insufficient_resources, configuration_limit_exceeded
    ("54", Fault.OTHER),  # program_limit_exceeded
    ("25006", Fault.READ_ONLY),
    ("25P0", Fault.UNREACHABLE),  # the server ended a session that was idle for too long
    ("28", Fault.PERMISSION),  # authentication
    ("42501", Fault.PERMISSION),  # insufficient_privilege
    ("3D000", Fault.UNREACHABLE),  # no such database
    ("57014", Fault.BUSY),  # query_canceled: statement_timeout, or an administrator
    ("57", Fault.UNREACHABLE),  # the server shuts down, starts up, or dropped the connection
    ("08", Fault.UNREACHABLE),
    ("58", Fault.IO),  # system_error, io_error
    ("XX000", Fault.OTHER),
)
"""SQLSTATE, or how it begins (https://www.postgresql.org/docs/current/errcodes-appendix.html); the first that fits."""

_POSTGRES_DAMAGED = {"XX001", "XX002"}  # data_corrupted, index_corrupted

_POSTGRES_WORDS = (
    (r"password authentication failed|no password supplied|no pg_hba.conf entry|role .* does not exist", "28000"),
    (r"database .* does not exist", "3D000"),
    (r"too many (clients|connections)|remaining connection slots", "53300"),
    (r"(starting up|shutting down|recovery mode)", "57P03"),
)
"""While a connection is made the client library gives words and no SQLSTATE; a server in another language: `08`."""

_POSTGRES_REMEDIES = {
    "28": "Check user and password in DEIXIS_DATABASE_URL, and the server's pg_hba.conf.",
    "3D000": "Make the database (`createdb NAME`), or correct its name in DEIXIS_DATABASE_URL.",
    "42501": "Give this database user the rights to its tables, or connect as the one who owns them.",
    "53300": "Close other programs that use the server, or raise its max_connections, then try again.",
    "53100": "Free some space on the database server's disk, then run the command again.",
    "25006": "The server accepts no changes: connect to the primary, or end its read-only mode.",
    "57014": "The statement was cancelled or outlasted the server's statement_timeout; raise it, then try again.",
    "57": "The server is starting or stopping; try again in a moment.",
    "58": "Look into the database server's log and check its disk, then run `deixis verify`.",
    "08": "Check that the database server runs and that DEIXIS_DATABASE_URL is right, then try again.",
}
_UNREACHABLE = _POSTGRES_REMEDIES["08"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a database driver said: its code (`sqlite_errorcode` or SQLSTATE), that code's name, and its words."""

    code: int | str | None
    name: str
    words: str


def translate(error: SQLAlchemyError, where: str, dialect: str) -> LibraryError | None:
    """The error of this house for what a database said; None for what only a defect of ours brings about.

    Args:
        error: as SQLAlchemy raised it.
        where: the database's URL without its password.
        dialect: `sqlite` or `postgresql`.
    """
    if isinstance(error, PoolTimeoutError):
        return LibraryBusyError(f"Too many at once use {where}", remedy="Try again in a moment.")
    if isinstance(error, PendingRollbackError):
        return LibraryFaultError(f"The connection to {where} was lost", fault=Fault.UNREACHABLE, remedy=_UNREACHABLE)
    if not isinstance(error, DBAPIError):
        return None
    return translate_driver_error(error.orig, where, dialect)


def translate_driver_error(error: object, where: str, dialect: str) -> LibraryError | None:
    """Like `translate`, for the driver's own exception."""
    if dialect == "sqlite":
        return _translate_sqlite(_said_by_sqlite(error), where)
    return _translate_postgres(error, where)


def _said_by_sqlite(error: Any) -> Said:
    code = getattr(error, "sqlite_errorcode", None)
    return Said(code, getattr(error, "sqlite_errorname", "") or "", str(error).strip())


def _translate_sqlite(said: Said, where: str) -> LibraryError | None:
    if not isinstance(said.code, int):  # raised by the driver itself, before SQLite was asked
        damaged = "malformed" in said.words or "not a database" in said.words or "decode" in said.words
        return _damaged(where, said.words) if damaged else None
    if said.code & 0xFF in _SQLITE_DAMAGED:
        return _damaged(where, said.words)
    fault = _SQLITE_EXTENDED.get(said.code) or _SQLITE.get(said.code & 0xFF)
    if fault is None:
        return None
    if fault is Fault.BUSY:
        return _busy(where)
    if fault is Fault.DISK_FULL:
        return LibraryFaultError(f"The disk of {where} is full ({said.words})", fault=fault)
    told = said.words if said.name in ("", "SQLITE_ERROR") else f"{said.words} ({said.name})"
    return LibraryFaultError(
        f"The database {where} cannot be used: {told}", fault=fault, remedy=_SQLITE_REMEDIES.get(fault, "")
    )


def _translate_postgres(error: object, where: str) -> LibraryError | None:
    words = str(error).strip()
    state = getattr(error, "sqlstate", None) or _state_of(error, words)
    if state is None:
        return None
    fault = next((fault for begin, fault in _POSTGRES if state.startswith(begin)), None)
    if fault is None:
        return _damaged(where, words) if state in _POSTGRES_DAMAGED else None
    remedy = next((text for begin, text in _POSTGRES_REMEDIES.items() if state.startswith(begin)), "")
    if state == "55P03":  # the lock of the one writer
        return _busy(where)
    if fault is Fault.BUSY:
        return LibraryBusyError(f"The database {where} is busy: {words}", remedy=remedy or _WAIT)
    if fault is Fault.DISK_FULL:
        return LibraryFaultError(f"The disk of {where} is full ({words})", fault=fault, remedy=remedy)
    verb = "cannot be reached" if fault is Fault.UNREACHABLE else "cannot be used"
    return LibraryFaultError(f"The database {where} {verb}: {words}", fault=fault, remedy=remedy)


def _state_of(error: object, words: str) -> str | None:
    """What SQLSTATE a failure without one would have had: no answer came, or the client library swallowed it."""
    for pattern, state in _POSTGRES_WORDS:
        if re.search(pattern, words, re.IGNORECASE):
            return state
    # psycopg: OperationalError where the connection cannot be made or has broken; InterfaceError where it is closed.
    lost = type(error).__name__ in ("OperationalError", "ConnectionTimeout") or "connection is closed" in words
    return "08000" if lost else None


def _busy(where: str) -> LibraryBusyError:
    return LibraryBusyError(f"Another process is writing to {where}", remedy=_WAIT)


def _damaged(where: str, words: str) -> CorruptionError:
    return CorruptionError(f"The database {where} is damaged: {words}", remedy=_CORRUPT)
