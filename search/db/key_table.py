"""The table of keys: who may ask this library over a network, and what for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from search.db.base import Base
from search.db.columns import BigId, UtcDateTime


class AccessKey(Base):
    """A key as it is known here: never the key itself. Owner: `search.keys`."""

    __tablename__ = "access_keys"
    __table_args__ = (
        CheckConstraint("scope IN ('read', 'search', 'jobs', 'admin')", name="scope"),
        {"sqlite_autoincrement": True},  # Sessions name a key by its number: none is ever given twice.
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(String(8))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the whole key, hex."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """The hour of its last use."""
