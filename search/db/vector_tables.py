"""The tables of vectors: where each lies, which index is searched, and what its scores mean."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from search.db.base import Base
from search.db.columns import BigId, UtcDateTime


class Segment(Base):
    """An append-only file of vectors. Owner: `search.vectors.segments`."""

    __tablename__ = "segments"
    __table_args__ = ({"sqlite_autoincrement": True},)  # Open files are remembered by this id.

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    """`image`, `text` or `region`: what was embedded."""
    file_name: Mapped[str] = mapped_column(String(128), unique=True)
    committed_rows: Mapped[int] = mapped_column(BigInteger)
    """Rows that a transaction has made real; what lies behind them was left by a killed process."""
    committed_bytes: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Embedding(Base):
    """One vector: whose it is and where it lies. Its `id` is its id in segments and FAISS. Owner: `search.vectors`."""

    __tablename__ = "embeddings"
    __table_args__ = (
        UniqueConstraint("model_id", "image_id"),
        UniqueConstraint("model_id", "text_id"),
        UniqueConstraint("segment_id", "segment_row"),
        CheckConstraint("image_id IS NULL OR text_id IS NULL", name="one_owner"),
        Index("uq_embeddings_model_id_region_id", "model_id", "region_id", unique=True),
        # A reader may still hold a generation with the id of a vector that `rebuild --compact` removed.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"))
    kind: Mapped[str] = mapped_column(String(16))
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"), index=True)
    text_id: Mapped[int | None] = mapped_column(ForeignKey("texts.id", ondelete="SET NULL"), index=True)
    region_id: Mapped[int | None] = mapped_column(BigId, index=True)
    """Whose crop it is. No foreign key, for SQLite cannot add one to a table that is there; `erasing` clears it.

    An embedding that has no owner any more is dead: its segment row stays until `rebuild --compact`.
    """
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"))
    segment_row: Mapped[int] = mapped_column(BigInteger)


class Generation(Base):
    """An immutable FAISS file, derived from segments. Owner: `search.vectors.generations`."""

    __tablename__ = "generations"
    __table_args__ = (
        Index(
            "uq_generations_active",
            "model_id",
            "kind",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
        {"sqlite_autoincrement": True},  # Loaded generations are remembered by this id.
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"))
    kind: Mapped[str] = mapped_column(String(16))
    file_name: Mapped[str] = mapped_column(String(128), unique=True)
    index_key: Mapped[str] = mapped_column(String(64))
    """FAISS factory string."""
    vectors: Mapped[int] = mapped_column(BigInteger)
    ids_sha256: Mapped[str] = mapped_column(String(64))
    """Of the ascending embedding ids as little-endian int64: tells whether the live set has changed since."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the file's bytes, hex."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    measured: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """The effort of a search and the k-recall that was measured; of a catalogue, the rows that it was made of."""
    active: Mapped[bool] = mapped_column(Boolean)
    """At most one per model and kind: the row that readers follow."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CalibrationRow(Base):
    """What a score of one class of query means in this library. Owner: `search.publishing`."""

    __tablename__ = "calibrations"
    __table_args__ = (UniqueConstraint("model_id", "query_class"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id"))
    query_class: Mapped[str] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
