"""The body of a request, received before its turn, on disk beyond a megabyte, within what all may take together."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

from starlette.types import Message, Receive

IN_MEMORY_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 18


class BudgetError(Exception):
    """All bodies together would be larger than they may be."""


class Budget:
    """Bytes of the bodies that are held at a time.

    Args:
        most_bytes: of all together.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0

    def take(self, count: int) -> None:
        """Hold so many more.

        Raises:
            BudgetError: they are too many.
        """
        if self.held_bytes + count > self.most_bytes:
            raise BudgetError
        self.held_bytes += count

    def give_back(self, count: int) -> None:
        """Hold so many fewer."""
        self.held_bytes -= count


class Body:
    """A body that is received once and read again from here.

    Args:
        receive: the server's.
        budget: of all bodies.
    """

    def __init__(self, receive: Receive, budget: Budget) -> None:
        self._receive = receive
        self._budget = budget
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._first = b""
        self._bytes = 0
        self._length = 0
        self._given = False
        self._failure: Exception | None = None
        self._departure: asyncio.Task[Message] | None = None
        self.left = False

    async def take_in(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Receive all of it. What the limits on receiving raise is kept for whoever reads the body.

        Args:
            headers: of the request; a length that is declared is held at once.

        Raises:
            BudgetError: all bodies together are too large.
        """
        declared = next((value for name, value in headers if name == b"content-length"), b"")
        if declared.isdigit():
            self._hold(min(int(declared), self._budget.most_bytes + 1))
        received = 0
        while True:
            try:
                message = await self._receive()
            except Exception as error:  # too large, too slow: the route's own answer is right
                self._failure = error
                return
            if message["type"] == "http.disconnect":
                self.left = True
                return
            chunk = message.get("body", b"")
            received += len(chunk)
            if received > self._bytes:
                self._hold(received - self._bytes)
            self._keep(chunk)
            if not message.get("more_body", False):
                if self._file is not None:
                    self._length = self._file.tell()
                    self._file.seek(0)
                return

    def departure(self) -> asyncio.Task[Message]:
        """Done when the client leaves."""
        if self._departure is None:
            self._departure = asyncio.ensure_future(self._leaving())
        return self._departure

    async def receive(self) -> Message:
        """The body, chunk by chunk, then the client's leaving."""
        if self._failure is not None:
            raise self._failure
        if self._given:
            return await asyncio.shield(self.departure())
        if self._file is None:
            self._given = True
            return {"type": "http.request", "body": self._first, "more_body": False}
        chunk = self._file.read(_CHUNK_BYTES)
        self._given = self._file.tell() >= self._length
        return {"type": "http.request", "body": chunk, "more_body": not self._given}

    def close(self) -> None:
        """Forget it; whoever still looks for a departure is left alone."""
        if self._departure is not None:
            self._departure.cancel()
        if self._file is not None:
            self._file.close()
            self._file = None
        self._budget.give_back(self._bytes)
        self._bytes = 0

    def _hold(self, count: int) -> None:
        self._budget.take(count)
        self._bytes += count

    def _keep(self, chunk: bytes) -> None:
        if self._file is None and not self._first:
            self._first = chunk
            return
        if not chunk:
            return
        if self._file is None:
            self._file = SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115  # closed by `close`
            self._file.write(self._first)
        self._file.write(chunk)

    async def _leaving(self) -> Message:
        if self._failure is not None:  # the connection says nothing more
            await asyncio.Event().wait()
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return message
