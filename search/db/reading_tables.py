"""Tables of text that was read in pictures: which were looked at, and the words that were read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from search.db.base import Base
from search.db.columns import BigId, Bytewise, UtcDateTime


class Reading(Base):
    """That a reader has looked at a picture, also where it found nothing. Owner: `search.db.readings`."""

    __tablename__ = "readings"
    __table_args__ = (
        UniqueConstraint("image_id", "source"),
        Index("ix_readings_source_image_id", "source", "image_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(String(64))
    """The reader's, as in `regions.source`."""
    lines: Mapped[int] = mapped_column(Integer)
    """How many it found."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ReadWord(Base):
    """A distinct word that was read, folded as words are compared. Owner: `search.db.spellings`."""

    __tablename__ = "read_words"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    word: Mapped[str] = mapped_column(Bytewise, unique=True)


class ReadSpelling(Base):
    """What remains of a word when a letter or two are left out, as a digest: words that share one are alike.

    Owner: `search.db.spellings`.
    """

    __tablename__ = "read_spellings"

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """64 bits as a signed number."""
    word_id: Mapped[int] = mapped_column(ForeignKey("read_words.id", ondelete="CASCADE"), primary_key=True, index=True)
