"""Which tables an exported library holds, and how a row of the database is one of Parquet."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Float, Integer, Table

from search.checks.raw import Row, Unreadable, checked, kind_of
from search.db.columns import OsPath
from search.db.images import display_path
from search.db.limits import instant, is_holdable
from search.db.schema import Base
from search.portable.parquet import Parquet

NOT_CARRIED: Mapping[str, str] = {
    "library": "every library has a mark of its own",
    "segments": "where vectors lie is the home's own affair",
    "embeddings": "their ids and owners stand beside the vectors",
    "generations": "made again from the vectors",
    "archives": "one is looked into again where it lies then",
    "jobs": "what was done here stays here",
    "job_events": "what was done here stays here",
    "suspects": "another machine has other troubles",
    "access_keys": "who may ask here may not ask there",
    "read_words": "made again from the lines",
    "read_spellings": "made again from the lines",
}
"""Tables that no export holds as such, each with the reason."""

FILLED = ("segments", "embeddings", "generations")
"""Of these, the tables that have rows as soon as a library holds anything."""

CARRIED: Sequence[Table] = [table for table in Base.metadata.sorted_tables if table.name not in NOT_CARRIED]
"""Tables that an export holds, those first that others refer to."""

RAW = "_raw"
"""Behind a path's name: the column of its bytes, where they are no UTF-8."""


def schema_of(parquet: Parquet, table: Table) -> Any:
    """The Arrow schema of a table's file, column by column as in the database."""
    fields: list[tuple[str, Any]] = []
    for column in table.columns:
        fields.append((column.name, _arrow_type(parquet, column)))
        if isinstance(column.type, OsPath):
            fields.append((column.name + RAW, parquet.arrow.binary()))
    return parquet.arrow.schema(fields)


def to_columns(table: Table, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Rows, as `search.checks.raw` reads them, as columns of Parquet."""
    found: dict[str, list[Any]] = {}
    for column in table.columns:
        values = [row[column.name] for row in rows]
        if isinstance(column.type, OsPath):
            found[column.name] = [None if raw is None else _shown_path(raw) for raw in values]
            found[column.name + RAW] = [None if raw is None or _is_text(raw) else raw for raw in values]
        elif isinstance(kind_of(column), DateTime):
            found[column.name] = [
                None if said is None else datetime.fromisoformat(said).replace(tzinfo=UTC) for said in values
            ]
        else:
            found[column.name] = values
    return found


def from_items(table: Table, items: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """The same back: rows of a file as `search.checks.raw` would read them, or with `Unreadable` in them."""
    for item in items:
        row: Row = {}
        for column in table.columns:
            value = item.get(column.name)
            if isinstance(column.type, OsPath):
                raw = item.get(column.name + RAW)
                value = value.encode() if raw is None and value is not None else raw
            elif isinstance(value, datetime):
                value = _stored_instant(value)
            elif isinstance(value, str) and not is_holdable(value):
                value = Unreadable("holds NUL or half a character")
            elif isinstance(kind_of(column), JSON) and value is not None:
                value = _finite_json(value)
            row[column.name] = value if isinstance(value, Unreadable) else checked(column, value)
        yield row


def to_stored(table: Table, row: Row) -> dict[str, Any]:
    """What an INSERT takes, from a row without anything unreadable."""
    values: dict[str, Any] = {}
    for column in table.columns:
        value, kind = row[column.name], kind_of(column)
        if value is not None and isinstance(column.type, OsPath):
            value = os.fsdecode(value)
        elif value is not None and isinstance(kind, DateTime):
            value = datetime.fromisoformat(value).replace(tzinfo=UTC)
        elif value is not None and isinstance(kind, JSON):
            value = json.loads(value)
        values[column.name] = value
    return values


def _arrow_type(parquet: Parquet, column: Column[Any]) -> Any:
    kind, arrow = kind_of(column), parquet.arrow
    if isinstance(column.type, OsPath):
        return arrow.string()
    if isinstance(kind, DateTime):
        return arrow.timestamp("us", "UTC")
    if isinstance(kind, Boolean):
        return arrow.bool_()
    if isinstance(kind, Float):
        return arrow.float64()
    if isinstance(kind, BigInteger):
        return arrow.int64()
    return arrow.int32() if isinstance(kind, Integer) else arrow.string()


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown_path(raw: bytes) -> str:
    return raw.decode() if _is_text(raw) else display_path(os.fsdecode(raw))


def _stored_instant(value: datetime) -> str | Unreadable:
    if instant(value) != value:
        return Unreadable("lies outside the calendar")
    return value.replace(tzinfo=None).isoformat(" ")


def _finite_json(value: str) -> str | Unreadable:
    """JSON that both databases take: Python also reads `NaN`, which is none."""
    try:
        json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Unreadable("is no JSON")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
