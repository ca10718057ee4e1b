"""`deixis mcp`: the search as tools for assistants."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import decode_limits, open_library, read_settings
from deixis.jobs import encoder_wish
from deixis.options import DatabaseUrl, Home, LibraryModelName, Threads
from deixis.output import err
from deixis.serving_options import AllowedHosts, AnsweringCaptioner, Open, TrustedProxies
from indexer.jobs.kinds import IndexJob, arguments_of
from indexer.options import IndexOptions
from search.errors import SettingsError
from search.jobs.queue import Queue
from search.jobs.rows import list_jobs, show_job
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
    start_job = functools.partial(start_index, settings)
    if http is None:
        serve_pipes(settings, start_job)
    else:
        serve_http(_at(settings, http), _announce, start_job)
    return exit_codes.OK


def start_index(settings: Settings) -> int:
    """Queue a job that brings the library up to date with the folders it knows; returns its number."""
    options = IndexOptions(
        decode_workers=settings.decoders, limits=decode_limits(settings), archives=settings.archive_limits
    )
    form = IndexJob((), options, encoder_wish(settings))
    asked = arguments_of(form)
    with open_library(settings) as library:
        for job in list_jobs(library, unended=True):  # asked for twice, it is done once
            if job.kind == form.KIND and job.state == "queued" and show_job(library, job.id).arguments == asked:
                return job.id
        return Queue(library).add(form.KIND, form.lane, asked)


def _at(settings: Settings, http: str) -> Settings:
    host, _, port = http.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal():
        raise SettingsError(f"--http is {http!r}", remedy="Write an address and a port: 127.0.0.1:8485.")
    checked = load_settings({}, host=host.strip("[]"), port=int(port))
    return replace(settings, host=checked.host, port=checked.port)


def _announce(address: str) -> None:
    err().print(f"Deixis answers assistants on {address} (Ctrl-C stops it)")
