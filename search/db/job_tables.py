"""The tables of jobs: what is to be done, by whom, how far it is, and what killed its workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from search.db.base import Base
from search.db.columns import BigId, Bytewise, UtcDateTime


class Job(Base):
    """A bulk job from the moment it is asked for; kept with its report. Owner: `search.jobs.queue`."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('queued', 'running', 'paused', 'done', 'failed', 'cancelled')", name="state"),
        CheckConstraint("asked IS NULL OR asked IN ('pause', 'cancel')", name="asked"),
        CheckConstraint("state <> 'running' OR (worker IS NOT NULL AND leased_until IS NOT NULL)", name="leased"),
        Index("ix_jobs_state_id", "state", "id"),
        Index("uq_jobs_request_key", "request_key", unique=True),
        {"sqlite_autoincrement": True},  # Its number stands in people's notes.
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """Of `indexer.jobs.kinds`."""
    lane: Mapped[str | None] = mapped_column(String(16))
    """What it writes; None for all of the library."""
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16))
    asked: Mapped[str | None] = mapped_column(String(16))
    """What its worker is to do at the next step."""
    token: Mapped[int] = mapped_column(Integer, default=0)
    """Grows with each claim: whoever writes with an older one has lost the job."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    crashes: Mapped[int] = mapped_column(Integer, default=0)
    """Workers that died one behind the other before they had anything in hand."""
    worker: Mapped[str | None] = mapped_column(Text)
    """The name of its worker's lock file, and for people `pid 12 on host`."""
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    report: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Of the last attempt."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    request_key: Mapped[str | None] = mapped_column(String(64))
    """SHA-256, hex, of the key with which a program asked for it: the same key never queues another."""


class JobEvent(Base):
    """Something that happened to a job. Owner: `search.jobs.queue`."""

    __tablename__ = "job_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    what: Mapped[str] = mapped_column(Text)


class Suspect(Base):
    """An item that was in a worker's hand when it died. Owner: `search.jobs.quarantine`."""

    __tablename__ = "suspects"
    __table_args__ = (Index("uq_suspects_work_item", "work", "item", unique=True),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    work: Mapped[str] = mapped_column(String(80))
    """What was done with it: `pictures`, or a captioner's or reader's source."""
    item: Mapped[str] = mapped_column(Bytewise)
    """Its content's SHA-256, hex."""
    crashes: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    """For people: the file's path then."""
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
