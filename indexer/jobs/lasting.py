"""Run a job that has no end of its own: paused it waits to be resumed, and only a cancel ends it."""

from __future__ import annotations

import time
from collections.abc import Callable

from indexer.jobs.desk import Desk, JobStopped
from indexer.jobs.kinds import JobForm
from indexer.jobs.running import run_here
from search.encoder import Say
from search.jobs.rows import list_jobs
from search.library import Library

_PAUSE_S = 1.0


def run_lasting(
    library: Library, form: JobForm, desk: Callable[[], Desk], say: Say, look_up: Callable[[], None]
) -> None:
    """Run a job in this process until somebody cancels it.

    Args:
        desk: makes one for each attempt.
        say: told in one line when it is paused and resumed.
        look_up: called every second of a pause; what it raises ends this.

    Raises:
        KeyboardInterrupt: this process is to stop; the job is paused.
        Exception: as `run_here`.
    """
    while True:
        try:
            run_here(library, form, desk())
        except JobStopped as stopped:
            if stopped.wish == "cancel":
                return
        if not _resumed(library, form.KIND, say, look_up):
            return
        say("resumed")


def _resumed(library: Library, kind: str, say: Say, look_up: Callable[[], None]) -> bool:
    """Wait for as long as the job is paused; False where it was cancelled."""
    told = False
    while True:
        job = next((one for one in list_jobs(library, unended=True) if one.kind == kind), None)
        if job is None or job.state != "paused":
            return job is not None
        if not told:
            say(f"paused; `deixis jobs resume {job.id}` goes on")
            told = True
        look_up()
        time.sleep(_PAUSE_S)
