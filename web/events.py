"""Server-sent events: how one is written, and how many listen at a time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Iterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from web.errors import OverloadedError

_LINE = re.compile(r"\r\n|\r|\n")


def event(name: str, data: str, number: int | None = None) -> str:
    """An event as `text/event-stream` has it (HTML standard, section 9.2); its number is what `Last-Event-ID` says."""
    lines = "".join(f"data: {line}\n" for line in _LINE.split(data))
    return ("" if number is None else f"id: {number}\n") + f"event: {name}\n{lines}\n"


class Places:
    """Room for those who listen.

    Args:
        most: at a time.
        why: what is said to one too many.
        remedy: what it can do instead.

    Attributes:
        taken: how many listen now.
    """

    def __init__(self, most: int, why: str, remedy: str) -> None:
        self.most = most
        self.why = why
        self.remedy = remedy
        self.taken = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            OverloadedError: there is none.
        """
        if self.taken >= self.most:
            raise OverloadedError(self.why, remedy=self.remedy)
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class EventStream(StreamingResponse):
    """An answer of events. It holds its place as long as it is sent, and its events end with whoever listens.

    Args:
        events: as `event` writes them.
        places: where it takes one; where there is none, the answer is the error.
    """

    def __init__(self, events: AsyncGenerator[str], places: Places) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, headers=headers, media_type="text/event-stream")
        self._events = events
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        # A client that leaves while something is on its way to it, leaves the events half told: they end here.
        async with contextlib.aclosing(self._events):
            with self._places.one():
                await super().__call__(scope, receive, send)
