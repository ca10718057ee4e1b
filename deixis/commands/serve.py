"""`deixis serve`: the search page and the JSON API."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import read_settings
from deixis.options import BackendName, DatabaseUrl, Home, LibraryModelName, PrecisionName, Threads, complete_captioner
from deixis.output import err
from deixis.supervised import supervised
from search.settings import PREFIX, Settings

Workers = Annotated[
    int | None, typer.Option("--workers", help="Processes that answer, each with the model (DEIXIS_WORKERS).")
]

LogLevel = Annotated[
    str | None,
    typer.Option("--log-level", help="debug, info (a line for every request), warning … (DEIXIS_LOG_LEVEL)."),
]

LogFormat = Annotated[str | None, typer.Option("--log-format", help="text or json (DEIXIS_LOG_FORMAT).")]

Watch = Annotated[bool, typer.Option("--watch", help="Keep the library up to date, in a `deixis watch` beside.")]


def serve(
    host: Annotated[str | None, typer.Option("--host", help="Address to bind (DEIXIS_HOST).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="TCP port (DEIXIS_PORT).")] = None,
    allowed_hosts: Annotated[
        str | None,
        typer.Option("--allowed-hosts", help="Names by which browsers reach this server (DEIXIS_ALLOWED_HOSTS)."),
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    captioner: Annotated[
        str | None,
        typer.Option(
            "--captioner",
            help="Answers questions about a picture (DEIXIS_CAPTIONER).",
            show_default=False,
            autocompletion=complete_captioner,
        ),
    ] = None,
    backend: BackendName = None,
    precision: PrecisionName = None,
    threads: Threads = None,
    workers: Workers = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
    watch: Watch = False,
) -> int:
    """Serve the web page and the API until stopped."""
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
        workers=workers,
        log_level=log_level,
        log_format=log_format,
    )
    beside = supervised(["watch", "--quiet"], _told(settings), err().print) if watch else contextlib.nullcontext()
    with beside:
        run_server(settings, on_listening=_announce)
    return exit_codes.OK


def _told(settings: Settings) -> dict[str, str]:
    """What a process beside this one must know, in its environment: an address of a database may hold a password."""
    names = ("home", "database_url", "model", "backend", "precision", "threads")
    return {f"{PREFIX}{name.upper()}": str(value) for name in names if (value := getattr(settings, name)) is not None}


def _announce(address: str) -> None:
    err().print(f"Deixis answers on {address} (Ctrl-C stops it)")
