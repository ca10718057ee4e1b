"""`deixis mcp`: the search as tools for assistants."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import read_settings
from deixis.options import DatabaseUrl, Home, LibraryModelName, Threads
from deixis.output import err
from deixis.serving_options import AllowedHosts, AnsweringCaptioner, Open, TrustedProxies
from search.errors import SettingsError
from search.settings import Settings, load_settings


def mcp(
    http: Annotated[
        str | None,
        typer.Option("--http", help="Answer over HTTP at this HOST:PORT instead of the pipes.", metavar="HOST:PORT"),
    ] = None,
    allowed_hosts: AllowedHosts = None,
    open: Open = False,  # noqa: A002  # the flag's own name
    trusted_proxies: TrustedProxies = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    captioner: AnsweringCaptioner = None,
    threads: Threads = None,
) -> int:
    """Let an assistant search and look, by the Model Context Protocol: over its pipes, or over HTTP.

    It may search and look; what more it may do, a key says (DEIXIS_KEY, or over HTTP the request's).
    """
    from web.assistants.serving import serve_http, serve_pipes  # noqa: PLC0415  # an extra, and the web framework

    settings = read_settings(
        home=home,
        database_url=database_url,
        model=model,
        captioner=captioner,
        threads=threads,
        allowed_hosts=allowed_hosts,
        open=1 if open else None,
        trusted_proxies=trusted_proxies,
    )
    if http is None:
        serve_pipes(settings)
    else:
        serve_http(_at(settings, http), _announce)
    return exit_codes.OK


def _at(settings: Settings, http: str) -> Settings:
    host, _, port = http.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal():
        raise SettingsError(f"--http is {http!r}", remedy="Write an address and a port: 127.0.0.1:8485.")
    checked = load_settings({}, host=host.strip("[]"), port=int(port))
    return replace(settings, host=checked.host, port=checked.port)


def _announce(address: str) -> None:
    err().print(f"Deixis answers assistants on {address} (Ctrl-C stops it)")
