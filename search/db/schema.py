"""The tables: what a library knows, on SQLite and Postgres alike.

Every table has an owner and a section in `docs/formats.md`. Rows are the truth; vectors are in segment files that the
rows point to; FAISS files are derived from both.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from search.db.archive_table import Archive
from search.db.base import Base
from search.db.caption_tables import CaptionGeneration
from search.db.columns import BigId, Bytewise, OsPath, UtcDateTime
from search.db.job_tables import Job, JobEvent, Suspect
from search.db.key_table import AccessKey
from search.db.reading_tables import Reading, ReadSpelling, ReadWord
from search.db.vector_tables import CalibrationRow, Embedding, Generation, Segment

__all__ = [
    "AccessKey",
    "Archive",
    "Base",
    "CalibrationRow",
    "Caption",
    "CaptionGeneration",
    "Embedding",
    "Fact",
    "File",
    "Generation",
    "Image",
    "Job",
    "JobEvent",
    "LibraryMark",
    "Model",
    "ReadSpelling",
    "ReadWord",
    "Reading",
    "Region",
    "Root",
    "Segment",
    "Suspect",
    "TextBody",
]


class LibraryMark(Base):
    """One row that ties this database to its home folder. Owner: `search.library`.

    Without it, a mistyped database URL would make every vector file of the home look like a leftover.
    """

    __tablename__ = "library"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    uid: Mapped[str] = mapped_column(String(32))
    """Random, hex; repeated in `library.json` and in the header of every segment file."""
    home: Mapped[str | None] = mapped_column(OsPath)
    """The folder that holds the vectors, absolute."""
    host: Mapped[str | None] = mapped_column(Text)
    """The machine on which that folder lies."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Model(Base):
    """An encoder that has made vectors here. Owner: `search.library`."""

    __tablename__ = "models"
    __table_args__ = (
        Index(
            "uq_models_active",
            "active",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(Text)
    backend: Mapped[str] = mapped_column(String(32))
    revision: Mapped[str] = mapped_column(String(64))
    dim: Mapped[int] = mapped_column(Integer)
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The whole of `EncoderFacts`, for a message that says what differs."""
    location: Mapped[str] = mapped_column(OsPath)
    active: Mapped[bool] = mapped_column(Boolean, default=False)
    """Exactly one model answers queries; `index --replace-model` moves the flag in the transaction that ends it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Root(Base):
    """A folder (or single file) that was given to `index`. Owner: `search.db.roots`."""

    __tablename__ = "roots"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    path: Mapped[str] = mapped_column(OsPath, unique=True)
    last_scanned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    rules: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What `index` was told to pass over or to follow here; the next run without paths goes by it."""


class Image(Base):
    """A picture by its content: two files with the same bytes are one image. Owner: `indexer.writer`."""

    __tablename__ = "images"
    __table_args__ = (
        Index("ix_images_taken_at_taken_offset_min", "taken_at", "taken_offset_min"),
        Index("ix_images_format", "format"),
        # All that a filter by size or shape looks at: most pictures fulfil it, and rows are five times as wide.
        Index("ix_images_size_bytes_width_px_height_px", "size_bytes", "width_px", "height_px"),
        {"sqlite_autoincrement": True},  # An address of a deleted picture must never show another one.
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the file's bytes, hex."""
    width_px: Mapped[int] = mapped_column(Integer)
    """Upright, after EXIF orientation."""
    height_px: Mapped[int] = mapped_column(Integer)
    format: Mapped[str] = mapped_column(String(16))
    """Pillow's name: JPEG, PNG, WEBP, …"""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """EXIF DateTimeOriginal; read as UTC where the file names no offset."""
    taken_offset_min: Mapped[int | None] = mapped_column(Integer)
    """Minutes east of UTC of the clock that took it; None where the file names no offset."""
    pixels_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    """Of the decoded picture, hex: the same when a program rewrites only the metadata."""
    remark: Mapped[str | None] = mapped_column(Text)
    """What to know about the picture, as `code: sentence`, e.g. `truncated: …`."""
    perceptual_hash: Mapped[int | None] = mapped_column(BigInteger)
    """64 bits as a signed number, few of which differ between copies of one picture; see docs/formats.md."""
    facts_version: Mapped[int | None] = mapped_column(Integer)
    """By which version of the readers its facts were read; None where they were not."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class File(Base):
    """A path and what was found there. Owner: `indexer.scan` (what is there), `indexer.writer` (what it holds)."""

    __tablename__ = "files"
    __table_args__ = (
        CheckConstraint("state IN ('indexed', 'refused', 'missing')", name="state"),
        CheckConstraint("state <> 'indexed' OR image_id IS NOT NULL", name="indexed_has_image"),
        CheckConstraint("state <> 'refused' OR reason IS NOT NULL", name="refused_has_reason"),
        # Both columns in one: with an index on the state alone, SQLite walked all files for each image.
        Index("ix_files_image_id_state", "image_id", "state"),
        # Whole, for the names that no beginning narrows down are all looked at, here rather than in the rows.
        Index("ix_files_name_key_state_image_id", "name_key", "state", "image_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    path: Mapped[str] = mapped_column(OsPath, unique=True)
    """Absolute; links in its root's path are resolved, those that `--follow-links` goes through are not."""
    name: Mapped[str] = mapped_column(Text, index=True)
    """The last part of the path for people and look-ups; bytes that are not UTF-8 become U+FFFD."""
    name_key: Mapped[str | None] = mapped_column(Bytewise)
    """The name to compare by: NFC, case folded."""
    root_id: Mapped[int] = mapped_column(ForeignKey("roots.id", ondelete="CASCADE"), index=True)
    image_id: Mapped[int | None] = mapped_column(ForeignKey("images.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    """Why it was refused: `code: sentence`."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    ctime_ns: Mapped[int | None] = mapped_column(BigInteger)
    """When anything about the file last changed, by the file system's own clock; None until it is looked at again."""
    device: Mapped[str] = mapped_column(String(32))
    """The file system's token (`indexer.mounts`) when last seen; `st_dev` in decimal where an older version has written
    it or nothing else is known: tells a deleted file from a vanished mount."""
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beside: Mapped[str | None] = mapped_column(String(64))
    """Changes with the sidecars that were read; hex, None where there was none."""
    held: Mapped[str | None] = mapped_column(Text)
    """Where the bytes are, if not in a file at `path`: in an archive, or in a copy of ours (`vision.originals`)."""


class Fact(Base):
    """One thing that a picture carries: its camera, its place, … Owner: `search.db.facts`."""

    __tablename__ = "facts"
    __table_args__ = (
        CheckConstraint("(key IS NULL) = (text IS NULL)", name="text_has_key"),
        CheckConstraint("(number IS NULL) <> (text IS NULL)", name="text_or_number"),
        Index("ix_facts_image_id_name", "image_id", "name"),
        Index("ix_facts_name_key_image_id", "name", "key", "image_id"),
        Index("ix_facts_name_number_image_id", "name", "number", "image_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(16))
    """Of `vision.carried.facts`."""
    text: Mapped[str | None] = mapped_column(Text)
    key: Mapped[str | None] = mapped_column(Bytewise)
    """The text to compare by: NFC, case folded, cut to 400 characters."""
    number: Mapped[float | None] = mapped_column(Float)
    """In the unit of its name."""
    source: Mapped[str] = mapped_column(String(64))
    """Who says it; of `vision.carried.facts`."""


class TextBody(Base):
    """One distinct text: a caption or a phrase, stored and embedded once however often it occurs.

    Owner: `search.db.annotations`.
    """

    __tablename__ = "texts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    """Of the UTF-8 bytes, hex: unique at any length, which an index on `body` is not on Postgres."""
    body: Mapped[str] = mapped_column(Text)


class Caption(Base):
    """A sentence about an image, with who said it. Owner: `search.db.annotations`."""

    __tablename__ = "captions"
    __table_args__ = (
        UniqueConstraint("image_id", "text_id", "source"),
        Index("ix_captions_image_id_generation_id", "image_id", "generation_id"),
        Index("ix_captions_language_image_id_generation_id", "language", "image_id", "generation_id"),
        Index("ix_captions_source_image_id_generation_id", "source", "image_id", "generation_id"),
        Index("ix_captions_generation_id_image_id", "generation_id", "image_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    text_id: Mapped[int] = mapped_column(ForeignKey("texts.id"), index=True)
    source: Mapped[str] = mapped_column(String(64))
    """`import` for people's own annotations; one of `vision.carried.facts.SOURCES`; else a captioner's."""
    language: Mapped[str | None] = mapped_column(String(16))
    """BCP 47 tag where known."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    generation_id: Mapped[int | None] = mapped_column(BigId)
    """Of `caption_generations`, where a captioner says it. No foreign key, which SQLite cannot add to a table."""


class Region(Base):
    """A phrase and its box on one image: the unit that answers "where". Owner: `search.db.annotations`."""

    __tablename__ = "regions"
    __table_args__ = (
        CheckConstraint("x0 >= 0 AND y0 >= 0 AND x1 <= 1 AND y1 <= 1 AND x0 < x1 AND y0 < y1", name="box"),
        CheckConstraint(
            "(span_start IS NULL AND span_end IS NULL) OR (span_start >= 0 AND span_start < span_end)", name="span"
        ),
        CheckConstraint("span_start IS NULL OR caption_id IS NOT NULL", name="span_has_caption"),
        Index("ix_regions_image_id_text_id_generation_id", "image_id", "text_id", "generation_id"),
        Index("ix_regions_source_image_id_generation_id", "source", "image_id", "generation_id"),
        Index("ix_regions_generation_id_image_id", "generation_id", "image_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id", ondelete="CASCADE"))
    caption_id: Mapped[int | None] = mapped_column(ForeignKey("captions.id", ondelete="CASCADE"), index=True)
    text_id: Mapped[int] = mapped_column(ForeignKey("texts.id"), index=True)
    """The phrase."""
    span_start: Mapped[int | None] = mapped_column(Integer)
    """Characters of the caption, half-open."""
    span_end: Mapped[int | None] = mapped_column(Integer)
    x0: Mapped[float] = mapped_column(Float)
    """Normalised xyxy on the upright image."""
    y0: Mapped[float] = mapped_column(Float)
    x1: Mapped[float] = mapped_column(Float)
    y1: Mapped[float] = mapped_column(Float)
    score: Mapped[float | None] = mapped_column(Float)
    source: Mapped[str] = mapped_column(String(64))
    is_read: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    """Whether it is a line of text that a reader found in the picture: its phrase is written there, not shown."""
    generation_id: Mapped[int | None] = mapped_column(BigId)
    """As of captions; boxes of detectors and readers have none."""
