"""Jobs as people see and steer them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from search.db.job_tables import Job, JobEvent
from search.errors import LibraryError, NotFoundError, QueryError
from search.library import Library
from search.locks.file import is_locked
from search.locks.home import watch_file

ENDED = ("done", "failed", "cancelled")

FOLDER = "jobs"
"""In the home: what workers hold."""

WORKER = "worker-"
"""So begin the names of those that take jobs from the queue; a command that runs its own job has none."""


class SameKeyError(LibraryError):
    """A key that a program gave with one job came again with another."""


@dataclass(frozen=True, slots=True)
class JobInfo:
    """A job as it is listed; see `search.db.job_tables.Job`.

    Attributes:
        lost: whether it runs no more although nobody has ended it: its worker has died or does not answer.
    """

    id: int
    kind: str
    state: str
    asked: str | None
    lost: bool
    attempts: int
    worker: str | None
    progress: dict[str, Any] | None
    error: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """One job with all that is known of it.

    Attributes:
        events: when, and what happened, oldest first.
    """

    info: JobInfo
    arguments: dict[str, Any]
    report: dict[str, Any] | None
    events: tuple[tuple[datetime, str], ...]


def list_jobs(
    library: Library,
    *,
    limit: int | None = None,
    unended: bool = False,
    ended: bool = False,
    before: int | None = None,
) -> list[JobInfo]:
    """Jobs, the newest first.

    Args:
        limit: at most so many.
        unended: only those that still have something to do.
        ended: only those that have not.
        before: only those with a lower number.
    """
    query = select(Job).order_by(Job.id.desc())
    if before is not None:
        query = query.where(Job.id < before)
    if unended:
        query = query.where(Job.state.not_in(ENDED))
    if ended:
        query = query.where(Job.state.in_(ENDED))
    with library.read() as session:
        return [_info(library, job) for job in session.scalars(query.limit(limit))]


def count_states(library: Library) -> dict[str, int]:
    """How many jobs are in each state; of the oldest that have ended, none is kept."""
    with library.read() as session:
        rows = session.execute(select(Job.state, func.count()).group_by(Job.state)).all()
    return {row[0]: row[1] for row in rows}


def show_job(library: Library, job_id: int) -> JobDetails:
    """One job.

    Raises:
        NotFoundError: there is none of this number.
    """
    with library.read() as session:
        job = _find(session, job_id)
        events = session.execute(
            select(JobEvent.at, JobEvent.what).where(JobEvent.job_id == job_id).order_by(JobEvent.id)
        ).all()
        return JobDetails(
            _info(library, job), dict(job.arguments), job.report, tuple((row.at, row.what) for row in events)
        )


def events_after(library: Library, job_id: int, after: int = 0) -> tuple[JobInfo, list[tuple[int, datetime, str]]]:
    """One job, and what has happened to it behind an event: number, when, what; oldest first.

    Raises:
        NotFoundError: there is none of this number.
    """
    with library.read() as session:
        job = _find(session, job_id)
        where = (JobEvent.job_id == job_id, JobEvent.id > after)
        query = select(JobEvent.id, JobEvent.at, JobEvent.what).where(*where).order_by(JobEvent.id)
        return _info(library, job), [(row.id, row.at, row.what) for row in session.execute(query)]


def _find(session: Session, job_id: int) -> Job:
    """One job.

    Raises:
        NotFoundError: there is none of this number.
    """
    job = session.get(Job, job_id)
    if job is None:
        raise NotFoundError(f"There is no job {job_id}", remedy="`deixis jobs list` shows those that there are.")
    return job


def ask(library: Library, job_id: int, wish: str) -> str:
    """Pause, resume, cancel or retry a job; returns its state then, `running` while its worker still has to hear it.

    Raises:
        NotFoundError: there is none of this number.
        QueryError: it is in a state in which that makes no sense.
    """
    with library.database.write() as session:
        job = _find(session, job_id)
        outcome = _OUTCOMES.get((wish, job.state))
        if outcome is None:
            raise QueryError(f"Job {job_id} is {job.state}; it cannot be {_PAST[wish]}", remedy=_REMEDIES[wish])
        if job.state == "running":
            job.asked = {"pause": "pause", "cancel": "cancel"}.get(wish)
        else:
            job.state = outcome
            job.ended_at = now() if outcome == "cancelled" else None
            job.crashes = 0
        note(session, job_id, f"asked to {wish}")
        return job.state


_OUTCOMES = {
    ("pause", "queued"): "paused",
    ("pause", "running"): "running",
    ("resume", "paused"): "queued",
    ("resume", "running"): "running",
    ("cancel", "queued"): "cancelled",
    ("cancel", "paused"): "cancelled",
    ("cancel", "running"): "running",
    ("retry", "failed"): "queued",
    ("retry", "cancelled"): "queued",
    ("retry", "done"): "queued",
}
_PAST = {"pause": "paused", "resume": "resumed", "cancel": "cancelled", "retry": "retried"}
_REMEDIES = {
    "pause": "Only what is queued or running can be paused.",
    "resume": "Only what is paused can be resumed; `deixis jobs retry` begins again what has ended.",
    "cancel": "Only what has not ended can be cancelled.",
    "retry": "Only what has ended can be retried; `deixis jobs resume` goes on with what is paused.",
}


def note(session: Session, job_id: int, what: str) -> None:
    """Write an event of a job."""
    session.add(JobEvent(job_id=job_id, at=now(), what=what))


def is_lost(library: Library, job: Job) -> bool:
    """Whether a running job's worker has died, or has not answered for too long."""
    late = job.leased_until is None or job.leased_until < now()
    return late or not is_alive(library, job)


def is_alive(library: Library, job: Job) -> bool:
    """Whether the process of a running job's worker may live: one of another machine is known by its lease alone."""
    name, _, rest = (job.worker or "").partition(" ")
    if name == "-" or not rest.endswith(f" on {socket.gethostname()}"):
        return True
    return is_locked(library.home / FOLDER / f"{name}.lock")


def workers_here(library: Library) -> int:
    """How many workers of this library live on this machine."""
    return sum(is_locked(path) for path in (library.home / FOLDER).glob(f"{WORKER}*.lock"))


def is_watched_here(library: Library) -> bool:
    """Whether a process of this machine watches the library's folders."""
    return is_locked(watch_file(library.home))


def people(worker: str | None) -> str:
    """A worker as it is named to people: `pid 12 on host`."""
    return (worker or "").partition(" ")[2] or "a worker"


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def _info(library: Library, job: Job) -> JobInfo:
    worker = people(job.worker) if job.worker is not None else None
    lost = job.state == "running" and is_lost(library, job)
    return JobInfo(
        job.id, job.kind, job.state, job.asked, lost, job.attempts, worker, job.progress, job.error,
        job.created_at, job.started_at, job.ended_at,
    )  # fmt: skip
