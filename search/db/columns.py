"""Column types that SQLite and Postgres understand alike: wide ids, instants, paths."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, LargeBinary, Text, TypeDecorator

BigId = BigInteger().with_variant(Integer, "sqlite")
"""64-bit primary keys; SQLite's rowid alias must be declared INTEGER, and is 64-bit all the same."""

Bytewise = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its UTF-8 bytes, as SQLite's is anyway: then all that begins alike is one range of an index."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant; always timezone-aware UTC in Python, also on SQLite, which has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC before it is written."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Mark what SQLite returns as the UTC that it is."""
        if value is None:
            return None
        instant: datetime = value
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


class OsPath(TypeDecorator[str]):
    """A file-system path, byte for byte: names that are not UTF-8 survive (`surrogateescape`) where TEXT would not."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Encode as the operating system does."""
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Decode as the operating system does."""
        return None if value is None else os.fsdecode(bytes(value))
