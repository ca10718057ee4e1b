"""The lock of a library on a Postgres server: jobs of one home and machine, or one job alone."""

from __future__ import annotations

import hashlib
import os
import socket

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from search.db.session import domain_errors
from search.errors import LibraryBusyError, LibraryError
from search.locks.file import busy

_PATIENCE_MS = 5000
"""How long the server may take to notice that a killed holder's connection is gone."""

_KEEPALIVE = ("tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")
"""After about a minute the server gives up on a machine that has vanished, instead of after two hours."""


class ServerLock:
    """A session-level advisory lock on a connection of its own; the server releases it when that ends.

    Args:
        engine: of a Postgres database.
        library_uid: 32 hex digits: whose lock it is.
        shared: beside other jobs that share it, rather than alone.

    Raises:
        LibraryBusyError: another job holds it; says which process on which machine.
        LibraryError: the server cannot be reached.
    """

    def __init__(self, engine: Engine, library_uid: str, *, shared: bool = False) -> None:
        self._key = int.from_bytes(hashlib.sha256(f"deixis job {library_uid}".encode()).digest()[:8], signed=True)
        self._take = "pg_advisory_lock_shared" if shared else "pg_advisory_lock"
        with domain_errors(engine):
            self._connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                # Out of the pool: what is held here must end with the connection and never be lent to anybody.
                self._connection.detach()
                self._claim(self._connection)
            except BaseException:
                self._connection.close()
                raise

    def check(self) -> None:
        """Make sure that the connection lives, and with it the lock.

        Raises:
            LibraryError: it was lost.
        """
        try:
            held = self._connection.execute(
                text("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())")
            ).scalar_one()
        except DBAPIError as error:
            raise _lost() from error
        if not held:  # A pooler between us and the server has given this connection another session.
            raise _lost()

    def release(self) -> None:
        """Let others in."""
        self._connection.close()

    def _claim(self, connection: Connection) -> None:
        for setting in _KEEPALIVE:
            connection.execute(text(f"SET {setting}"))
        name = f"deixis job, pid {os.getpid()} on {socket.gethostname()}"
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name[:63]})
        connection.execute(text(f"SET lock_timeout = {_PATIENCE_MS}"))
        try:
            with domain_errors(connection.engine):
                connection.execute(text(f"SELECT {self._take}(:key)"), {"key": self._key})
        except LibraryBusyError as error:
            raise busy(_holder(connection, self._key)) from error


def _holder(connection: Connection, key: int) -> str:
    """Who holds the lock, as it has named itself."""
    unsigned = key & 0xFFFF_FFFF_FFFF_FFFF
    said = connection.execute(
        text(
            "SELECT activity.application_name FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid) "
            "WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1 "
            "AND lock.classid::bigint = :high AND lock.objid::bigint = :low"
        ),
        {"high": unsigned >> 32, "low": unsigned & 0xFFFF_FFFF},
    ).scalar()
    return str(said).removeprefix("deixis job, ") if said else "of unknown number"


def _lost() -> LibraryError:
    return LibraryError(
        "The connection that holds this library's lock was lost",
        remedy="Check that the database server runs, then run the command again; what was committed is kept.",
    )
