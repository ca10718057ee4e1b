"""One request on its way through the gate, and the answer that is being made to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from anyio import CancelScope

from vision.wanted import Wanted
from web.admission.costs import Route


@dataclass(slots=True)
class Visit:
    """One request on its way, for the log.

    Attributes:
        route: what it asks for.
        arrived: in seconds of the event loop's clock.
        waited_s: for its turn.
        shed: why it was refused; empty if it was not.
    """

    route: Route
    arrived: float
    waited_s: float = 0.0
    shed: str = ""


@dataclass(slots=True, eq=False)
class Run:
    """The answer that is being made.

    Attributes:
        wanted: what it does, for whoever does it.
        scope: cancels what waits in the event loop.
        started: its first line is out.
        muted: nothing more of it is sent; `given_up` is done then.
    """

    wanted: Wanted = field(default_factory=Wanted)
    scope: CancelScope = field(default_factory=CancelScope)
    started: bool = False
    muted: bool = False
    given_up: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def abandon(self) -> None:
        """Nobody waits for it any more; what computes in a thread is asked to end, and children are killed."""
        self.muted = True
        if not self.given_up.done():
            self.given_up.set_result(None)
        self.wanted.abandon()
        self.scope.cancel()
