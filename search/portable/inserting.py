"""Put rows from outside into an empty library: many at once, and the one that is refused named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, Table, column, insert, select, table
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from search.errors import ExportFormatError

HOSTILE = "Nothing was imported. Export the library again, or leave this export alone: it may have been tampered with."


def insert_rows(session: Session, into: Table, rows: Sequence[dict[str, Any]], where: str) -> None:
    """Insert rows with their ids.

    Args:
        session: the writing one.
        into: a table of ours.
        rows: values by column.
        where: the file that they are from.

    Raises:
        ExportFormatError: the database refuses a row; says which and why.
    """
    if not rows:
        return
    try:
        with session.begin_nested():
            session.execute(insert(_plain(into)), list(rows))
    except (IntegrityError, DataError, StatementError, OverflowError) as error:
        if isinstance(error, StatementError) and getattr(error, "connection_invalidated", False):
            raise
        if len(rows) > 1:
            half = len(rows) // 2
            insert_rows(session, into, rows[:half], where)
            insert_rows(session, into, rows[half:], where)
            return
        why = _dangling(session, into, rows[0]) or _said(error)
        raise ExportFormatError(f"{where}: the row with the id {rows[0].get('id')} {why}", remedy=HOSTILE) from error


def _plain(into: Table) -> Any:
    """The table without defaults, and with JSON columns in which nothing is nothing and not the word `null`."""
    kinds = ((one.name, JSON(none_as_null=True) if isinstance(one.type, JSON) else one.type) for one in into.columns)
    return table(into.name, *(column(name, kind) for name, kind in kinds))


def _dangling(session: Session, into: Table, row: dict[str, Any]) -> str | None:
    for key in into.foreign_keys:
        value, parent = row[key.parent.name], key.column
        if value is not None and session.scalar(select(parent).where(parent == value)) is None:
            return f"refers by {key.parent.name} to {value}, which is in no row of {parent.table.name}"
    return None


def _said(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return f"is refused by the database: {said[0] if said else type(error).__name__}"
