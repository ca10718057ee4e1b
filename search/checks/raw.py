"""Read any row of any table without believing it: what a column cannot hold comes back as a remark, not as an error.

SQLite keeps whatever it is given, and a damaged page may give back anything, so nothing here goes through the models:
each value comes as bytes or as a number and is looked at before anybody relies on it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine

Row: TypeAlias = dict[str, Any]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?")
_POSTGRES_INSTANT = "YYYY-MM-DD HH24:MI:SS.USBC"

_STORED: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (DateTime, ("text",)),
    (JSON, ("text",)),
    (String, ("text",)),
    (LargeBinary, ("blob",)),
    (Float, ("real", "integer")),
    (Boolean, ("integer",)),
    (Integer, ("integer",)),
)
"""How SQLite calls what it stores for each kind of column."""


class Unreadable:
    """A value that is not of its column's kind; `why` says so in words."""

    def __init__(self, why: str) -> None:
        self.why = why


def read_rows(session: Session, table: Table, *, by_id: bool = False) -> Iterator[Row]:
    """Every row as plain values by column name: paths as bytes, instants as text, or `Unreadable`.

    Args:
        session: open for reading.
        table: which.
        by_id: in the order of their ids.
    """
    sqlite = session.get_bind().dialect.name == "sqlite"
    columns = list(table.columns)
    query = _query(table, sqlite=sqlite)
    if by_id:
        query = query.order_by(table.c.id)
    for values in session.execute(query.execution_options(yield_per=2000)):
        if sqlite:
            triples = zip(columns, values[::2], values[1::2], strict=True)
            yield {column.name: _from_sqlite(column, stored, value) for column, stored, value in triples}
        else:
            yield {column.name: _from_postgres(column, value) for column, value in zip(columns, values, strict=True)}


def checked(column: Column[Any], value: Any) -> Any:
    """A plain value that is to be stored in this column, or `Unreadable` where the column cannot hold it."""
    if value is None:
        return None if column.nullable else Unreadable("is empty")
    return _checked(kind_of(column), value)


def _query(table: Table, *, sqlite: bool) -> Select[Any]:
    parts: list[Any] = []
    for column in table.columns:
        kind = kind_of(column)
        if sqlite:
            name = column.name
            # As bytes: the driver would raise for a whole batch at the first text that is not UTF-8.
            value = f"CASE WHEN typeof({name}) = 'text' THEN CAST({name} AS BLOB) ELSE {name} END"
            parts += [func.typeof(type_coerce(column, NullType())), literal_column(value)]
        elif isinstance(kind, DateTime):
            # Postgres has instants that Python has not: `infinity`, the year 10,000, years before Christ.
            utc = func.timezone("UTC", type_coerce(column, NullType()))
            parts.append(func.coalesce(func.to_char(utc, _POSTGRES_INSTANT), cast(column, String)))
        elif isinstance(kind, LargeBinary):
            parts.append(type_coerce(column, LargeBinary()))
        elif isinstance(kind, JSON):
            parts.append(cast(column, String))
        else:
            parts.append(column)
    return select(*parts).select_from(table)


def kind_of(column: Column[Any]) -> TypeEngine[Any]:
    """What a column stores, beneath our own types."""
    kind = column.type
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _from_sqlite(column: Column[Any], stored: str, value: Any) -> Any:
    if stored == "null":
        return None if column.nullable else Unreadable("is empty")
    kind = kind_of(column)
    if stored not in next(names for kinds, names in _STORED if isinstance(kind, kinds)):
        return Unreadable(f"is stored as {stored}")
    if stored == "text":
        try:
            value = bytes(value).decode()
        except UnicodeDecodeError:
            return Unreadable("is not UTF-8")
    return _checked(kind, value)


def _from_postgres(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    kind = kind_of(column)
    if isinstance(kind, DateTime):
        value = str(value).removesuffix("AD")
    return _checked(kind, bytes(value) if isinstance(kind, LargeBinary) else value)


def _checked(kind: TypeEngine[Any], value: Any) -> Any:
    """The value, if a column of this kind may hold it."""
    if isinstance(kind, DateTime):
        return value if _is_instant(value) else Unreadable(f"is no instant: {value[:40]!r}")
    if isinstance(kind, JSON):
        return value if _is_json(value) else Unreadable("is no JSON")
    if isinstance(kind, Boolean):
        return bool(value) if value in (0, 1) else Unreadable(f"is {value}, neither true nor false")
    if isinstance(kind, Float):
        return value if math.isfinite(value) else Unreadable("is not a finite number")
    if isinstance(kind, String) and kind.length is not None and len(value) > kind.length:
        return Unreadable(f"has {len(value)} characters where {kind.length} fit")
    return value


def _is_instant(value: str) -> bool:
    if not _INSTANT.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True
