"""`deixis worker`: work on what is queued."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json, Quiet
from deixis.output import err, out, print_json, printable
from deixis.progress import progress_bar
from indexer.worker import work
from search.jobs.queue import Claim


def worker(
    home: Home = None,
    database_url: DatabaseUrl = None,
    until_empty: Annotated[bool, typer.Option("--until-empty", help="Leave when nothing is left to do.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Work on queued jobs until stopped; several workers share one queue.

    A job whose worker dies goes on in another one. Ctrl-C and SIGTERM queue the job in hand again, with what is
    finished kept.
    """

    def tell(claim: Claim, what: str) -> None:
        err().print(f"job {claim.id}, {claim.kind}: {printable(what)}")

    with (
        open_library(read_settings(home=home, database_url=database_url)) as library,
        progress_bar(quiet=quiet or json) as on_progress,
    ):
        report = work(library, until_empty=until_empty, on_progress=on_progress, say=err().print, tell=tell)
    if json:
        print_json(asdict(report))
    else:
        out().print(f"{report.done} jobs done, {report.failed} failed, {report.stopped} stopped or handed on")
    return exit_codes.PARTIAL if report.failed else exit_codes.OK
