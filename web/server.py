"""Runs the application with granian: processes, bounded threads, slow clients cut off, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import multiprocessing
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from starlette.types import ASGIApp

from search.errors import SettingsError
from search.settings import Settings
from web.access.peers import root_path
from web.access.standing import require_access
from web.announce import Announcing
from web.app import create_app
from web.bounded import run_server
from web.logs import logging_config
from web.stopping import Stopping

STOP_TIMEOUT_S = 12
"""After so long a process that has not ended is killed; `web.stopping` sees to it that none is."""


def serve(settings: Settings, *, on_listening: Callable[[str], None] | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        settings: address, port, library, limits, processes, log.
        on_listening: told the address for the browser, once it answers; called in one process that answers.

    Raises:
        SettingsError: the port is taken or may not be bound, or the server could not start.
    """
    require_access(settings)
    _check_port(settings.host, settings.port)
    with _common_folder(settings) as common:
        run_server(
            "web.app:create_from_env",
            functools.partial(_load, settings, on_listening, common),
            settings,
            log_level=settings.log_level,
            workers=settings.workers,  # each with its model in memory; within one, searches run on threads
            runtime_threads=1,
            runtime_blocking_threads=4,
            workers_kill_timeout=STOP_TIMEOUT_S,
            log_dictconfig=logging_config(settings.log_level, settings.log_format),
        )


def _load(settings: Settings, on_listening: Callable[[str], None] | None, common: Path | None) -> ASGIApp:
    """The application of a process that answers; a module's own function, for that process may not be a fork."""
    _leave_with_parent()
    app = create_app(settings, common)
    Stopping(app.state.gate).defer_signals(asyncio.get_event_loop())
    if on_listening is None or not _is_first(common):
        return app
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # compared only
    return Announcing(app, host, settings.port, functools.partial(on_listening, browser_address(settings)))


@contextlib.contextmanager
def _common_folder(settings: Settings) -> Iterator[Path | None]:
    """Where several processes find each other; one alone needs to write nothing."""
    if settings.workers == 1:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="deixis-serve-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _is_first(common: Path | None) -> bool:
    """Whether no other process of this server has come here."""
    if common is None:
        return True
    try:
        (common / "first").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _leave_with_parent() -> None:
    """End this process when the one that began it is gone, also where that was killed and could tell nobody."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(0)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def browser_address(settings: Settings) -> str:
    """What to open in a browser on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104  # compared only
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"http://{host}:{settings.port}{root_path(settings.root_path)}/"


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
