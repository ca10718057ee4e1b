"""The form of the database: which revision it has, and bringing it to the one that this version needs."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from search.db.revisions import revisions
from search.db.session import Database
from search.errors import LibraryEmptyError, LibraryError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
"""Alembic's scripts, beside the rooms in a checkout and in an installation alike."""


class Form(Enum):
    """How the database's tables compare with what this version of Deixis needs."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"
    FOREIGN = "foreign"
    """Tables, but none of ours: somebody else's database."""


def form_of(database: Database, migrations: Path = MIGRATIONS) -> Form:
    """Look at the revision that the database is at; changes nothing."""
    known = revisions(migrations)
    with database.read() as session:
        connection = session.connection()
        tables = inspect(connection).get_table_names()
        revision = None
        if "alembic_version" in tables:
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if revision is None:
            return Form.FOREIGN if tables else Form.EMPTY
    if revision == known[-1]:
        return Form.CURRENT
    return Form.OLDER if revision in known else Form.NEWER


def upgrade(database: Database, migrations: Path = MIGRATIONS) -> None:
    """Bring the database to the newest revision, in one transaction; does nothing when it is there already."""
    from alembic import command  # noqa: PLC0415  # half a second, which only a writer of tables should wait for

    config = _config(migrations)
    with database.connect_for_writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_form(database: Database, home: Path, *, create: bool, migrations: Path = MIGRATIONS) -> None:
    """Insist on the form that this version needs.

    Args:
        database: to look at.
        home: for the messages.
        create: make the tables, or bring an older form up to date, instead of refusing it.
        migrations: Alembic's scripts.

    Raises:
        LibraryEmptyError: there are no tables, and `create` is off.
        LibraryError: the form is older and `create` is off, or is newer, or the database is somebody else's.
    """
    form = form_of(database, migrations)
    if form is Form.FOREIGN:
        raise LibraryError(
            f"The database {database.where} holds something else than a Deixis library",
            remedy="Give Deixis a database of its own.",
        )
    if form is Form.NEWER:
        raise LibraryError(
            f"The library in {home} was written by a newer version of Deixis", remedy="Update Deixis on this machine."
        )
    if form is Form.CURRENT:
        return
    if not create:
        if form is Form.EMPTY:
            raise nothing_here(home)
        raise LibraryError(
            f"The library in {home} was written by an older version of Deixis",
            remedy="Make a backup, then run `deixis index`: it brings the library up to date.",
        )
    upgrade(database, migrations)


def nothing_here(home: Path) -> LibraryEmptyError:
    """The error of a home that holds no library."""
    return LibraryEmptyError(
        f"There is no library in {home}", remedy="Run `deixis index FOLDER` to make one, or set DEIXIS_HOME."
    )


def _config(migrations: Path) -> Config:
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
