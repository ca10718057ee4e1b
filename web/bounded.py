"""Granian as each of our servers runs it: HTTP/1 alone, slow clients cut off, an end that is told in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.types import ASGIApp

from search.errors import SettingsError
from search.settings import Settings

HEADER_TIMEOUT_MS = 10_000
"""A client that has not sent its whole header by then is disconnected; bodies have their own deadline."""


def run_server(name: str, load: Callable[[], ASGIApp], settings: Settings, *, log_level: str, **options: Any) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        name: of the application, for process lists; `load` is what runs.
        load: makes the application, in a process that answers; it can be pickled.
        settings: address and port.
        log_level: of granian itself.
        options: more for granian.

    Raises:
        SettingsError: the server could not start.
    """
    server = Granian(
        name,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        log_level=LogLevels(log_level),
        **options,
    )
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit as stopped:
        if stopped.code:
            raise SettingsError("the server stopped unexpectedly", remedy="The lines above say why.") from stopped
