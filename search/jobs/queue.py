"""The queue: jobs as rows, claimed under a lease with a token, so that one worker at a time writes for each."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from search.db.job_tables import Job
from search.errors import LibraryError
from search.jobs.quarantine import HandFile, accuse
from search.jobs.rows import ENDED, FOLDER, WORKER, SameKeyError, is_alive, is_lost, note, now, people
from search.library import Library
from search.locks.file import LockFile, is_locked

LEASE_S = 60.0
"""Without a sign of life for so long, a worker has lost its job; one whose process has died loses it at once."""

MAX_CRASHES = 5
"""Workers that died one behind the other before any of them had anything in hand: then something else is wrong."""

KEPT = 1_000
"""Jobs that have ended, whose reports are kept."""

WATCH = "watch"
"""The lane of the one job without an end, which holds nobody up; only its own command runs it, never a worker."""


class StaleJobError(LibraryError):
    """The job was given to another worker, or has ended: this one must write nothing more."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this process may work on.

    Attributes:
        id: of the job.
        token: of this claim.
        arguments: of the kind.
        attempt: 1 for the first.
        take_over: whether its last worker lives and does not answer.
        lost: names of items that are left out from now on, because workers died over them.
    """

    id: int
    kind: str
    lane: str | None
    arguments: dict[str, Any]
    token: int
    attempt: int
    take_over: bool = False
    lost: tuple[str, ...] = ()


class Queue:
    """The jobs of one library, as one process sees them.

    Args:
        library: open.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self.folder = library.home / FOLDER
        self._me: LockFile | None = None
        self._name = self._kind = ""

    def add(self, kind: str, lane: str | None, arguments: Mapping[str, Any], key: str | None = None) -> int:
        """Queue a job, or find the one that was asked for with the same key; returns its number.

        Raises:
            SameKeyError: with that key another job was asked for.
        """
        digest = None if key is None else hashlib.sha256(key.encode()).hexdigest()
        with self._library.database.write() as session:
            known = None if digest is None else session.scalar(select(Job).where(Job.request_key == digest))
            if known is not None:
                if (known.kind, known.arguments) != (kind, dict(arguments)):
                    raise SameKeyError("with this key another job was asked for", remedy="Give each job its own key.")
                return known.id
            job = _new(kind, lane, arguments)
            job.request_key = digest
            session.add(job)
            session.flush()
            note(session, job.id, "queued")
            _forget_oldest(session)
            return job.id

    def begin(self, kind: str, lane: str | None, arguments: Mapping[str, Any]) -> Claim:
        """Claim a job for a command that is about to run it: an interrupted one with the same arguments, or a new one.

        Of watching there is one job, whatever its arguments. The caller holds the lane.
        """
        with self._library.database.write() as session:
            same = (Job.kind == kind, Job.state.in_(("paused", "running", "queued")))
            for job in session.scalars(select(Job).where(*same).order_by(Job.id)):
                if lane == WATCH:
                    job.arguments = dict(arguments)
                    break
                if job.arguments == dict(arguments) and (job.state != "running" or is_lost(self._library, job)):
                    break
            else:
                job = _new(kind, lane, arguments)
                session.add(job)
                _forget_oldest(session)
            return self._claimed(session, job)

    def claim(self, without: Container[int] = ()) -> Claim | None:
        """The next job that can be worked on beside those that are; None where there is none.

        Args:
            without: jobs that this worker leaves to others.
        """
        since = func.coalesce(
            Job.started_at, Job.created_at
        )  # Who has had a turn comes behind those who wait for theirs.
        others = (Job.state.in_(("queued", "running")), Job.lane.is_distinct_from(WATCH))
        unended = select(Job).where(*others).order_by(Job.state.desc(), since, Job.id)
        with self._library.read() as session:  # Whoever asks every second is not to disturb those who write.
            if session.scalar(unended.limit(1)) is None:
                return None
        with self._library.database.write() as session:
            rows = session.scalars(unended).all()
            live = [job for job in rows if job.state == "running" and not is_lost(self._library, job)]
            busy = {job.lane for job in live}
            for job in rows:
                if job in live or job.id in without:
                    continue
                if job.state == "running" and not self._survives(session, job):
                    continue
                if job.lane in busy or None in busy or (job.lane is None and busy):
                    if job.lane is None:
                        return None  # What comes behind it waits, or it would never have the library to itself.
                    continue
                return self._claimed(session, job)
        return None

    def others(self, claim: Claim, kind: str) -> set[str]:
        """In which of the states `queued` and `running` there are jobs of a kind beside this one."""
        unended = (Job.kind == kind, Job.state.in_(("queued", "running")), Job.id != claim.id)
        with self._library.read() as session:
            return set(session.scalars(select(Job.state).where(*unended).distinct()))

    def hand_of(self, job_id: int) -> HandFile:
        """The note of what a job's worker has in hand."""
        return HandFile(self.folder / f"{job_id}.hand")

    def check(self, session: Session, claim: Claim) -> None:
        """Make sure, in a transaction that writes, that the job is still this process's.

        Raises:
            StaleJobError: it is not.
        """
        held = session.execute(select(Job.token, Job.state, Job.worker).where(Job.id == claim.id)).one_or_none()
        if held is None or held.token != claim.token or held.state != "running":
            taken = held is not None and held.state == "running"
            by = f"taken over by {people(held.worker)}" if taken and held is not None else "ended by somebody else"
            raise StaleJobError(
                f"Job {claim.id} was {by} while this worker did not answer",
                remedy="Nothing is lost: what was committed is kept, and the job goes on where it is now.",
            )

    def beat(self, claim: Claim, progress: Mapping[str, Any] | None) -> str | None:
        """Give a sign of life; returns what the worker is asked for: `pause`, `cancel` or nothing.

        Raises:
            StaleJobError: the job is another worker's.
        """
        with self._library.database.write() as session:
            job = self._own(session, claim)
            job.leased_until = now() + timedelta(seconds=LEASE_S)
            if progress is not None:
                job.progress = dict(progress)
            return job.asked

    def listen(self, claim: Claim) -> str | None:
        """As `beat` without a sign of life: nothing is written, so that an idle job lets disks sleep."""
        with self._library.read() as session:
            self.check(session, claim)
            return session.get_one(Job, claim.id).asked

    def end(
        self, claim: Claim, state: str, *, what: str, report: Mapping[str, Any] | None = None, error: str | None = None
    ) -> None:
        """Note how an attempt has ended.

        Args:
            state: `done`, `failed`, `paused`, `cancelled`, or `queued` for another worker to go on.

        Raises:
            StaleJobError: the job is another worker's.
        """
        with self._library.database.write() as session:
            job = self._own(session, claim)
            job.state, job.asked, job.leased_until, job.error = state, None, None, error
            job.crashes = 0
            if report is not None:
                job.report = dict(report)
            job.ended_at = now() if state in ENDED else None
            note(session, job.id, what)
        self.hand_of(claim.id).remove()

    def open_for_work(self) -> None:
        """Let others see that a worker is here, before it has anything to do."""
        if self._me is None:
            self._kind = WORKER
            with contextlib.suppress(LibraryError, OSError):  # who cannot write here, will be told at the first job
                self._identity()

    def close(self) -> None:
        """End this process's life as a worker."""
        if self._me is not None:
            self._me.path.unlink(missing_ok=True)
            self._me.release()
            self._me = None

    def _own(self, session: Session, claim: Claim) -> Job:
        self.check(session, claim)
        return session.get_one(Job, claim.id)

    def _claimed(self, session: Session, job: Job) -> Claim:
        take_over = job.state == "running" and is_alive(self._library, job)
        session.flush()
        lost = self._accused(session, job)
        job.state, job.asked, job.error, job.ended_at = "running", None, None, None
        job.token += 1
        job.attempts += 1
        job.worker, job.leased_until = self._identity(), now() + timedelta(seconds=LEASE_S)
        job.started_at, job.progress = now(), None
        again = "" if job.attempts == 1 else f", attempt {job.attempts}"
        note(session, job.id, f"begun by {people(job.worker)}{again}")
        return Claim(job.id, job.kind, job.lane, dict(job.arguments), job.token, job.attempts, take_over, tuple(lost))

    def _survives(self, session: Session, job: Job) -> bool:
        """Whether a job whose worker is lost is to go on; what was asked of that worker is done now."""
        if job.asked is not None:
            job.state, job.asked = {"pause": "paused", "cancel": "cancelled"}[job.asked], None
            note(session, job.id, f"{job.state}; its worker had died")
            return False
        if not self.hand_of(job.id).is_there and job.crashes + 1 >= MAX_CRASHES:
            job.state, job.ended_at = "failed", now()
            job.error = f"{MAX_CRASHES} workers died over it before they had anything in hand that could be left out"
            note(session, job.id, "failed: its workers keep dying; look at the memory of the machine, then retry it")
            return False
        return True

    def _accused(self, session: Session, job: Job) -> list[str]:
        """Count what the last worker's death says about the items in its hand."""
        if job.state != "running":
            return []
        file = self.hand_of(job.id)
        hand = file.read()
        note(session, job.id, f"{people(job.worker)} died or did not answer")
        job.crashes = 0 if file.is_there else job.crashes + 1
        lost = accuse(session, hand) if hand is not None else []
        for item in lost:
            note(session, job.id, f"left out from now on, for three workers died over it: {item.name}")
        file.remove()
        return [item.name for item in lost]

    def _identity(self) -> str:
        if self._me is None:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            for path in self.folder.glob("*.lock"):  # Of workers that were killed.
                if not is_locked(path):
                    path.unlink(missing_ok=True)
            self._name = self._kind + secrets.token_hex(8)
            self._me = LockFile(self.folder / f"{self._name}.lock", required=False)
            if not self._me.held:
                self._name = "-"  # A file system without locks: the lease alone tells.
        return f"{self._name} pid {os.getpid()} on {socket.gethostname()}"


def _new(kind: str, lane: str | None, arguments: Mapping[str, Any]) -> Job:
    return Job(
        kind=kind,
        lane=lane,
        arguments=dict(arguments),
        state="queued",
        token=0,
        attempts=0,
        crashes=0,
        created_at=now(),
    )


def _forget_oldest(session: Session) -> None:
    old = session.scalars(select(Job).where(Job.state.in_(ENDED)).order_by(Job.id.desc()).offset(KEPT)).all()
    for job in old:
        session.delete(job)
