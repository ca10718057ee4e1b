"""Run a job: hold its lane, give signs of life, and end it in one of the same few ways whatever happens."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from indexer.hands import Hands
from indexer.jobs.desk import Desk, JobStopped
from indexer.jobs.kinds import JobForm, arguments_of, form_of
from search.errors import LibraryBusyError, LibraryError
from search.jobs.queue import LEASE_S, WATCH, Claim, Queue, StaleJobError
from search.library import Library
from vision.errors import DeixisError
from vision.faults import SystemFaultError, explain_fault

_BEAT_S = 1.0
"""How soon a wish to stop is heard, and how far a job is, is told."""

_SILENT_S = LEASE_S / 4
"""A job that comes no further gives signs of life more seldom."""

_LISTED = 1_000
"""Entries of a report's list that are kept."""


def run_here(library: Library, form: JobForm, desk: Desk) -> Any:
    """Run a job in this process, for somebody who waits; returns its report.

    Raises:
        LibraryBusyError: another job has its lane.
        KeyboardInterrupt: it was stopped, here or by another command; it is paused, or cancelled.
        Exception: whatever it ends with; it is noted as failed.
    """
    queue = Queue(library)
    try:
        with _lane(library, form.lane):
            return _attempt(library, queue, queue.begin(form.KIND, form.lane, arguments_of(form)), form, desk)
    finally:
        queue.close()


def run_claimed(library: Library, queue: Queue, claim: Claim, desk: Desk) -> Any:
    """Run a job that this worker has claimed; returns its report.

    Raises:
        LibraryBusyError: a process outside of the queue has its lane; the job waits again.
        JobStopped: it is paused or cancelled.
        KeyboardInterrupt: the worker is to leave; the job waits for another one.
        StaleJobError: it was given to another worker.
        Exception: whatever it ends with; it is noted as failed.
    """
    try:
        form = form_of(claim.kind, claim.arguments)
    except LibraryError as error:
        queue.end(claim, "failed", what=f"failed: {error.args[0]}", error=str(error))
        raise
    try:
        with _lane(library, claim.lane, take_over=claim.take_over):
            return _attempt(library, queue, claim, form, desk, leaving="queued")
    except LibraryBusyError as error:
        with contextlib.suppress(StaleJobError):
            queue.end(claim, "queued", what=f"waits: {error.args[0]}")
        raise


def _lane(library: Library, lane: str | None, *, take_over: bool = False) -> AbstractContextManager[None]:
    if lane == WATCH:
        return library.watching()
    return library.exclusive() if lane is None else library.working(lane, take_over=take_over)


def _attempt(
    library: Library, queue: Queue, claim: Claim, form: JobForm, desk: Desk, *, leaving: str = "paused"
) -> Any:
    """One attempt.

    Args:
        leaving: what becomes of the job when this process is interrupted.
    """
    desk.hands = Hands(library, queue.hand_of(claim.id))
    with _fenced(library, queue, claim), _alive(queue, claim, desk):
        try:
            report = form.run(library, desk)
        except JobStopped as stopped:
            state = {"pause": "paused", "cancel": "cancelled", "later": "queued"}[stopped.wish]
            _end(queue, claim, state, what=f"{state}; {_kept(stopped)}")
            raise
        except StaleJobError:
            raise
        except KeyboardInterrupt as stopped:
            _end(queue, claim, leaving, what=f"interrupted, and {leaving}; {_kept(stopped)}")
            raise
        except BaseException as error:
            said = _words(error)
            _end(queue, claim, "failed", what=f"failed; {_kept(error)}", error=said)
            raise
        _end(queue, claim, "done", what="done", report=report_json(report))
        return report


@contextmanager
def _fenced(library: Library, queue: Queue, claim: Claim) -> Iterator[None]:
    """While this lasts, this process writes nothing for a job that is not its any more."""
    before = library.database.fence
    library.database.fence = lambda session: queue.check(session, claim)
    try:
        yield
    finally:
        library.database.fence = before


@contextmanager
def _alive(queue: Queue, claim: Claim, desk: Desk) -> Iterator[None]:
    """Signs of life until this ends, from a thread beside the job."""
    over = threading.Event()

    def beat() -> None:
        told, at = None, time.monotonic()
        while not over.wait(_BEAT_S):
            try:
                step = desk.step
                if step != told or time.monotonic() - at >= _SILENT_S:
                    wish = queue.beat(claim, desk.progress())
                    told, at = step, time.monotonic()
                else:
                    wish = queue.listen(claim)
            except StaleJobError as error:
                desk.lose(error)
                return
            except (DeixisError, OSError):
                continue  # a busy or full database: the lease is longer than that, or the job meets it too
            if wish is not None:
                desk.stop(wish)

    thread = threading.Thread(target=beat, name=f"job {claim.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _end(
    queue: Queue, claim: Claim, state: str, *, what: str, report: dict[str, Any] | None = None, error: str | None = None
) -> None:
    """Note how it ended; where even that cannot be written, the next worker finds a job whose worker has died."""
    with contextlib.suppress(SystemFaultError, StaleJobError):
        queue.end(claim, state, what=what, report=report, error=error)


def report_json(report: Any) -> dict[str, Any]:
    """A report as the queue keeps it: long lists cut, and how much was left out beside them."""
    plain = json.loads(json.dumps(dataclasses.asdict(report), default=str))
    for name, value in list(plain.items()):
        if isinstance(value, list) and len(value) > _LISTED:
            plain[name], plain[f"{name}_left_out"] = value[:_LISTED], len(value) - _LISTED
    cut: dict[str, Any] = plain
    return cut


def _kept(error: BaseException) -> str:
    return "; ".join(getattr(error, "__notes__", [])) or "what was finished is kept"


def _words(error: BaseException) -> str:
    told = explain_fault(error) if isinstance(error, OSError | MemoryError) else None
    return str(told or error) or type(error).__name__
