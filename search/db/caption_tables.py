"""The table of caption generations: everything that one captioner has said in one language and detail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from search.db.base import Base
from search.db.columns import BigId, UtcDateTime


class CaptionGeneration(Base):
    """What a captioner says of the library in one language and detail. Owner: `search.captioning`.

    What people and files say belongs to none, and cannot be laid to rest.
    """

    __tablename__ = "caption_generations"
    __table_args__ = (UniqueConstraint("source", "language"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    """As `captions.source`."""
    language: Mapped[str | None] = mapped_column(String(16))
    """BCP 47 tag where known."""
    detail: Mapped[str | None] = mapped_column(String(16))
    """`brief` or `detailed`; None where an older version has not noted it."""
    resting: Mapped[bool] = mapped_column(Boolean)
    """Kept, and neither searched nor shown."""
    token: Mapped[int] = mapped_column(BigInteger)
    """Random, 40 bits: the sum over all that rest tells one choice of generations from another."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
