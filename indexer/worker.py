"""A worker: takes one job after the other from the queue of a library, and goes on whatever becomes of each."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from indexer.jobs.desk import Desk, JobStopped
from indexer.jobs.running import run_claimed
from indexer.report import OnProgress, silent
from search.encoder import Say
from search.errors import LibraryBusyError, LibraryError
from search.jobs.queue import Claim, Queue, StaleJobError
from search.library import Library
from vision.errors import DeixisError
from vision.faults import SystemFaultError

_PAUSE_S = 1.0
"""Between two looks at an empty queue."""

_AGAIN_S = 5.0
"""Before a job is tried again whose lane was taken by a process outside of the queue."""


@dataclass(slots=True)
class WorkerReport:
    """What a worker has done.

    Attributes:
        done: jobs that ended well.
        failed: jobs that did not.
        stopped: jobs that were paused or cancelled under it, or went to another worker.
    """

    done: int = 0
    failed: int = 0
    stopped: int = 0


def work(
    library: Library,
    *,
    until_empty: bool = False,
    on_progress: OnProgress = silent,
    say: Say | None = None,
    tell: Callable[[Claim, str], None] = lambda claim, what: None,
) -> WorkerReport:
    """Work until interrupted, or until nothing is left that this worker could do.

    Args:
        until_empty: leave where nothing can be claimed.
        tell: told of each job when it is begun and how it has ended.

    Raises:
        KeyboardInterrupt: the job in hand is queued again, with what is finished kept.
    """
    report, queue = WorkerReport(), Queue(library)
    later: dict[int, float] = {}
    queue.open_for_work()
    try:
        while True:
            now = time.monotonic()
            later = {job_id: at for job_id, at in later.items() if at > now}
            claim = _claim(queue, later)
            if claim is not None:
                desk = Desk(on_progress, say, lambda claim=claim: queue.others(claim, "index"))  # type: ignore[misc]
                with _handed_back(queue, claim):
                    tell(claim, "begun")
                    tell(claim, _one(library, queue, claim, desk, report, later))
            elif until_empty and not later:
                return report
            else:
                time.sleep(_PAUSE_S)
    finally:
        queue.close()


@contextmanager
def _handed_back(queue: Queue, claim: Claim) -> Iterator[None]:
    """Queue a job again whose worker is to leave before it was begun; behind its end this changes nothing."""
    try:
        yield
    except KeyboardInterrupt:
        with contextlib.suppress(StaleJobError, SystemFaultError):
            queue.end(claim, "queued", what="queued again: its worker left before it was begun")
        raise


def _claim(queue: Queue, later: dict[int, float]) -> Claim | None:
    try:
        return queue.claim(without=later)
    except LibraryBusyError:
        return None


def _one(
    library: Library, queue: Queue, claim: Claim, desk: Desk, report: WorkerReport, later: dict[int, float]
) -> str:
    """Run a job; returns how it ended, in a line."""
    try:
        run_claimed(library, queue, claim, desk)
    except JobStopped as stopped:
        report.stopped += stopped.wish != "later"
        return {"pause": "paused", "cancel": "cancelled", "later": "goes on behind those that wait"}[stopped.wish]
    except StaleJobError as error:
        report.stopped += 1
        return str(error.args[0])
    except LibraryBusyError as error:
        later[claim.id] = time.monotonic() + _AGAIN_S
        return f"waits: {error.args[0]}"
    except Exception as error:
        report.failed += 1
        if isinstance(error, LibraryError) and library.database.why_read_only is not None:
            raise
        return f"failed: {error.args[0] if isinstance(error, DeixisError) and error.args else error}"
    report.done += 1
    return "done"
