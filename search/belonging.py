"""Which home a database belongs to, and which database a home: told apart before anything is written to either."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.schema import LibraryMark, Segment
from search.db.session import Database
from search.db.upgrade import nothing_here
from search.errors import LibraryError
from search.vectors.durable import writing_to
from search.vectors.segments import library_of
from vision.whole_files import write_whole

MARK_FILE = "library.json"
"""Names the database that this home belongs to."""


def tie(database: Database, home: Path, *, create: bool) -> str:
    """Make sure that this home and this database belong together; returns the library's uid.

    Args:
        database: of the form that this version needs.
        home: an existing folder.
        create: begin a library where there is none.

    Raises:
        LibraryEmptyError: there is none, and `create` is off.
        LibraryError: they belong to different libraries, or the database's vectors lie in another home.
    """
    path = home / MARK_FILE
    in_home = read_mark(path)
    with database.read() as session:
        marked = session.scalar(select(LibraryMark.uid)) is not None
    if not marked and create:
        _mark_database(database, home, in_home)
    with database.read() as session:
        mark = session.get(LibraryMark, 1)
        if mark is None:
            raise nothing_here(home)
        _check(session, database, home, in_home, mark)
        uid = mark.uid
    if in_home is None:
        # Whoever only reads can do without, e.g. on a disk that is mounted read-only.
        with contextlib.nullcontext() if create else contextlib.suppress(LibraryError), writing_to(path):
            write_whole(path, json.dumps({"uid": uid}) + "\n")
    return uid


def claim(session: Session, database: Database, home: Path) -> None:
    """Record that the library's vectors lie here from now on, unless that is what the database says already.

    Args:
        session: from `Database.write`; the caller holds the library's lock.
        database: the session's.
        home: where this job will write.

    Raises:
        LibraryError: they have come to lie in another home since this one was opened.
    """
    mark = session.get_one(LibraryMark, 1)
    _check(session, database, home, read_mark(home / MARK_FILE), mark)
    here, host = os.path.realpath(home), socket.gethostname()
    if (mark.home, mark.host) != (here, host):
        mark.home, mark.host = here, host
        session.flush()


def check_claim(session: Session, home: Path) -> None:
    """Make sure, before a job commits, that no other home has claimed the library meanwhile.

    Raises:
        LibraryError: one has.
    """
    claimed = session.scalar(select(LibraryMark.home))
    if claimed != os.path.realpath(home):
        raise LibraryError(
            f"The library was taken over by the home {claimed} while a job ran in {home}",
            remedy="Let only one home use this database; what was committed is kept.",
        )


def read_mark(path: Path) -> str | None:
    """The uid in a home's mark, or None where there is no mark.

    Raises:
        LibraryError: it is damaged.
    """
    try:
        with open(path, encoding="utf-8") as file:
            uid = json.load(file)["uid"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise LibraryError(f"{path} is damaged", remedy="Delete it; it is written again.") from error
    return str(uid)


def lies_in(database: Database, home: Path) -> bool:
    """Whether the database is a file of this very home: then whoever has one has the other."""
    url = database.engine.url
    if url.get_backend_name() != "sqlite":
        return False
    return os.path.dirname(os.path.realpath(url.database or "")) == os.path.realpath(home)


def _check(session: Session, database: Database, home: Path, in_home: str | None, mark: LibraryMark) -> None:
    if in_home is not None and in_home != mark.uid:
        raise LibraryError(
            f"The home {home} and the database {database.where} belong to different libraries",
            remedy="Set DEIXIS_HOME and DEIXIS_DATABASE_URL to a pair that was made together, or choose an empty home.",
        )
    files = list(session.scalars(select(Segment.file_name).where(Segment.committed_rows > 0)))
    if not files or lies_in(database, home):
        return  # Without vectors there is nothing that another home could have.
    owner = f"the home {mark.home} on {mark.host}" if mark.home else "another home"
    if in_home is None:
        if not any(library_of(home / "segments" / name) == mark.uid for name in files):
            raise LibraryError(
                f"The database {database.where} holds a library whose vectors lie in {owner}, not in {home}",
                remedy=f"Set DEIXIS_HOME to that home, or give this one a database of its own. If that home is lost, "
                f'write {{"uid": "{mark.uid}"}} into {home / MARK_FILE}, then run `deixis rebuild --compact` and '
                f"`deixis index`: every picture is embedded again.",
            )
    elif mark.home is not None and _is_another_home(Path(mark.home), home, mark.uid):
        raise LibraryError(
            f"The database {database.where} belongs to {owner}; {home} is a copy of it",
            remedy=f"Set DEIXIS_HOME={mark.home}, or move that folder away if {home} is to take its place.",
        )


def _is_another_home(recorded: Path, home: Path, uid: str) -> bool:
    """Whether the recorded home is still there, and is not this one by another path."""
    try:
        return not os.path.samefile(recorded, home) and read_mark(recorded / MARK_FILE) == uid
    except (OSError, LibraryError):
        return False


def _mark_database(database: Database, home: Path, in_home: str | None) -> None:
    # Vectors without their database cannot be used; a home without vectors may keep its name.
    has_segments = any((home / "segments").glob("*.seg"))
    uid = in_home if in_home is not None and not has_segments else secrets.token_hex(16)
    with database.write() as session:
        if session.get(LibraryMark, 1) is None:  # Another process may have been faster.
            where = {"home": os.path.realpath(home), "host": socket.gethostname()}
            session.add(LibraryMark(id=1, uid=uid, created_at=datetime.now(UTC), **where))
