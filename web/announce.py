"""Says the server's address once the server answers there, by nothing but the ASGI protocol and a request to itself."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLL_S = 0.02
_ANSWER_S = 2.0
"""How long one request to ourselves may take before the next is tried."""


class Announcing:
    """An application that calls `announce` as soon as `/healthz` answers.

    An application that has started does not yet accept connections, and server programs offer no hook for the moment
    when they do. So it asks itself, in a thread of the process that answers: none must exist before that process forks.

    Args:
        app: what lies inside.
        host: address to ask; never one that means "all addresses".
        port: TCP port to ask.
        announce: called once, in a thread.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, announce: Callable[[], None]) -> None:
        self.app = app
        self.host = host
        self.port = port
        self.announce = announce

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through; after the one that starts the application, begin to ask."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_watched(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                threading.Thread(target=self._announce_once_it_answers, name="announce", daemon=True).start()

        await self.app(scope, receive, send_watched)

    def _announce_once_it_answers(self) -> None:
        while not self._answers():
            time.sleep(_POLL_S)
        self.announce()

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_ANSWER_S)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            connection.getresponse().read()  # also a refused Host header is an answer
            return True
        return False
