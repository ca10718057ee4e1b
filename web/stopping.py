"""Stops a server in order: what runs is finished, what waits and comes is refused, then the server is told."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable
from typing import Any

from web.admission.gate import Gate

log = logging.getLogger(__name__)

FINISH_S = 8.0
"""For so long what runs may go on after SIGTERM or Ctrl-C."""

LINGER_S = 0.25
"""For so long at least those who come are told that the server stops, rather than find nobody."""

LAST_S = 1.5
"""For so long what was abandoned, and the server, may take to end; then the process ends."""

_POLL_S = 0.02


class Stopping:
    """Delays what a server does at a signal until the gate is empty.

    Args:
        gate: of the application.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._task: asyncio.Task[None] | None = None

    def defer_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on, what is told to this loop about a signal is told when everything has been finished.

        A server sets its handlers itself, after the application was made and before it is started.
        """
        add = loop.add_signal_handler

        def add_deferred(sign: int, callback: Callable[..., object], *arguments: Any) -> None:
            add(sign, self._begin, callback, arguments)

        loop.add_signal_handler = add_deferred  # type: ignore[method-assign, assignment]  # of this loop alone

    def _begin(self, callback: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        if self._task is None:  # Ctrl-C comes here twice: from the terminal and from the parent
            self._task = asyncio.ensure_future(self._stop(callback, arguments))

    async def _stop(self, callback: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self._gate.refuse()
        now = asyncio.get_running_loop().time
        begun = now()
        while now() - begun < LINGER_S or (self._gate.busy and now() - begun < FINISH_S):
            await asyncio.sleep(_POLL_S)
        if self._gate.busy:
            log.info("what did not end within %g seconds is abandoned", FINISH_S)
            self._gate.abandon()
            await asyncio.sleep(_POLL_S)
        # A model that computes cannot be interrupted; nothing that it writes would be lost.
        last = threading.Timer(LAST_S, os._exit, (0,))
        last.daemon = True
        last.start()
        callback(*arguments)
