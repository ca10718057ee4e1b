"""What becomes of jobs, told to open pages as it happens: server-sent events over one shared look a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from search.jobs.rows import JobInfo, is_watched_here, list_jobs, workers_here
from search.library import Library
from vision.errors import DeixisError
from web.deps import Engine
from web.events import EventStream, Places, event

LOOK_S = 1.0
"""How old what is told may be: workers themselves tell of their steps once a second."""

STREAM_S = 5.0
"""A stream ends then and the page asks for the next: a browser that has gone without a word holds its place no longer,
and a server that is to stop need not wait for one that has nothing to say."""

AGAIN_MS = 500
"""When the page asks for it."""

MAX_STREAMS = 32
"""Pages of one process that are told at the same time."""

LISTED = 50
"""Jobs that wait or run; a page shows no more of them."""

ENDED_LISTED = 20


@dataclass(frozen=True, slots=True)
class JobsNow:
    """The jobs at one moment.

    Attributes:
        unended: those that run, wait or are paused, the newest first.
        ended: those that ended last, the newest first; one more than a page shows where there are.
        workers: how many live on this machine.
        watching: whether folders are being watched.
    """

    unended: tuple[JobInfo, ...]
    ended: tuple[JobInfo, ...]
    workers: int
    watching: bool


def jobs_now(library: Library) -> JobsNow:
    """Look now."""
    unended = tuple(list_jobs(library, limit=LISTED, unended=True))
    ended = tuple(list_jobs(library, limit=ENDED_LISTED + 1, ended=True))
    return JobsNow(unended, ended, workers_here(library), is_watched_here(library))


class JobNews:
    """The jobs as all open pages see them: looked at once a second, however many there are, and never for none.

    Args:
        engine: of this process.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._looking = asyncio.Lock()
        self._seen: JobsNow | None = None
        self._seen_at = 0.0
        self.places = Places(
            MAX_STREAMS, "as many pages are told of jobs as this server tells", "Load the page again to see them."
        )

    async def now(self) -> JobsNow:
        """The jobs, at most `LOOK_S` old."""
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen_at >= LOOK_S:
                self._seen = await run_in_threadpool(lambda: jobs_now(self._engine.library()))
                self._seen_at = time.monotonic()
            return self._seen

    def stream(self, shown: Callable[[JobsNow], str]) -> EventStream:
        """Tell a page whenever there is something new; ends by itself, and with whoever listens.

        Args:
            shown: the piece of the page that changes, as HTML; called in a thread.
        """
        return EventStream(self._events(shown), self.places)

    async def _events(self, shown: Callable[[JobsNow], str]) -> AsyncGenerator[str]:
        try:
            began, told = time.monotonic(), ""
            yield f"retry: {AGAIN_MS}\n\n"
            while time.monotonic() - began < STREAM_S:
                now = await self.now()
                piece = await run_in_threadpool(shown, now)
                # Said anew also where nothing is new: only who speaks learns that nobody listens any more.
                yield event("jobs", piece) if piece != told else ": as before\n\n"
                told = piece
                await asyncio.sleep(LOOK_S)
        except DeixisError:
            return  # the page asks again, and is told what is wrong
