"""`deixis serve`: the search page and the JSON API."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import read_settings
from deixis.options import BackendName, DatabaseUrl, Home, LibraryModelName, PrecisionName, Threads
from deixis.output import err
from deixis.serving_options import (
    AllowedHosts,
    AnsweringCaptioner,
    CorsOrigins,
    LogFormat,
    LogLevel,
    Open,
    RootPath,
    TrustedProxies,
    TrustedUserHeader,
    Watch,
    Workers,
)
from deixis.supervised import supervised
from search.settings import PREFIX, Settings


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to bind (DEIXIS_HOST).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="TCP port (DEIXIS_PORT).")] = None,
    allowed_hosts: AllowedHosts = None,
    open: Open = False,  # noqa: A002  # the flag's own name
    trusted_proxies: TrustedProxies = None,
    trusted_user_header: TrustedUserHeader = None,
    root_path: RootPath = None,
    cors_origins: CorsOrigins = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    captioner: AnsweringCaptioner = None,
    backend: BackendName = None,
    precision: PrecisionName = None,
    threads: Threads = None,
    workers: Workers = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
    watch: Watch = False,
) -> int:
    """Serve the web page and the API until stopped."""
    from web.access.standing import addresses, require_access  # noqa: PLC0415  # as below
    from web.server import serve as run_server  # noqa: PLC0415  # costs every other command a third of a second

    settings = read_settings(
        home=home,
        database_url=database_url,
        model=model,
        captioner=captioner,
        backend=backend,
        precision=precision,
        threads=threads,
        host=host,
        port=port,
        allowed_hosts=allowed_hosts,
        open=1 if open else None,
        trusted_proxies=trusted_proxies,
        trusted_user_header=trusted_user_header,
        root_path=root_path,
        cors_origins=cors_origins,
        workers=workers,
        log_level=log_level,
        log_format=log_format,
    )
    told = (*require_access(settings), *(f"Also on {address}" for address in addresses(settings)[1:]))
    beside = supervised(["watch", "--quiet"], _told(settings), err().print) if watch else contextlib.nullcontext()
    with beside:
        run_server(settings, on_listening=functools.partial(_announce, told))
    return exit_codes.OK


def _told(settings: Settings) -> dict[str, str]:
    """What a process beside this one must know, in its environment: an address of a database may hold a password."""
    names = ("home", "database_url", "model", "backend", "precision", "threads")
    return {f"{PREFIX}{name.upper()}": str(value) for name in names if (value := getattr(settings, name)) is not None}


def _announce(told: Sequence[str], address: str) -> None:
    err().print(f"Deixis answers on {address} (Ctrl-C stops it)")
    for line in told:
        err().print(line)
