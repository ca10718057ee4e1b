"""Runs the application with granian: one process, bounded threads, slow clients cut off, a clean Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import functools
import socket
from collections.abc import Callable
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from search.errors import SettingsError
from search.settings import Settings
from web.app import create_app

HEADER_TIMEOUT_MS = 10_000
"""A client that has not sent its whole header by then is disconnected; bodies have their own deadline in `web.app`."""

STOP_TIMEOUT_S = 10
"""What a request that is under way may take to finish after Ctrl-C."""


_POLL_S = 0.02


def serve(settings: Settings, *, log_level: str = "warning", on_listening: Callable[[str], None] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        settings: address, port, library and limits.
        log_level: of server and application: `debug`, `info`, `warning`, `error` or `critical`.
        on_listening: told the address for the browser, once it answers.

    Raises:
        SettingsError: the port is taken or may not be bound, or the server could not start.
    """
    _check_port(settings.host, settings.port)
    server = _AnnouncingServer(
        "web.app:create_from_env",  # for process lists; the loader below is what runs
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=1,  # one model in memory; searches run on threads
        runtime_threads=1,
        runtime_blocking_threads=4,
        loop=Loops.asyncio,
        http=HTTPModes.http1,
        websockets=False,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
        workers_kill_timeout=STOP_TIMEOUT_S,
        log_level=LogLevels(log_level),
        log_dictconfig=_logging(log_level),
    )
    if on_listening is not None:
        server.announce = functools.partial(on_listening, browser_address(settings))
    try:
        server.serve(target_loader=functools.partial(create_app, settings), wrap_loader=False)
    except SystemExit as stopped:
        if stopped.code:
            raise SettingsError("the server stopped unexpectedly", remedy="The lines above say why.") from stopped


class _AnnouncingServer(MPServer):
    """Says when its worker accepts connections; granian's own startup hooks run before the worker is there."""

    announce: Callable[[], None] | None = None

    def startup(self, spawn_target: Any, target_loader: Any) -> None:
        super().startup(spawn_target, target_loader)  # type: ignore[no-untyped-call]  # granian leaves it without types
        address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind_addr, self.bind_addr)  # noqa: S104  # compared
        # The event is set by Ctrl-C and by the worker's death: then there is nothing to announce.
        while self.announce is not None and not self.main_loop_interrupt.wait(_POLL_S):
            with contextlib.suppress(OSError), socket.create_connection((address, self.bind_port), timeout=1):
                self.announce()
                self.announce = None


def browser_address(settings: Settings) -> str:
    """What to open in a browser on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104  # compared only
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{settings.port}/"


def _check_port(host: str, port: int) -> None:
    """Say now, in a sentence, what the server would otherwise say in a stack trace."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            remedy = "Stop what uses it, or choose another with --port (DEIXIS_PORT)."
            raise SettingsError(f"port {port} of {host} is in use", remedy=remedy) from error
        remedy = "Choose another address or port with --host and --port."
        raise SettingsError(f"cannot listen on {host} port {port}: {error.strerror}", remedy=remedy) from error


def _logging(level: str) -> dict[str, object]:
    handler = {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}
    own = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
        "handlers": {"stderr": handler},
        "loggers": dict.fromkeys(("_granian", "web", "search", "vision"), own),
    }
