"""`deixis import`: captions, phrases and boxes that exist already."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.jobs import Queued, encoder_wish, run_job
from deixis.options import DatabaseUrl, Home, Json, LibraryModelName, Quiet, Threads
from deixis.output import err, out, print_json
from indexer.jobs.kinds import ImportJob

_LISTED = 20


def import_(
    captions: Annotated[
        list[Path], typer.Argument(help="COCO captions, instances, grounding pairs, or Deixis JSON lines.")
    ],
    boxes: Annotated[
        list[Path] | None, typer.Option("--boxes", help="COCO instances or grounding pairs; may be given again.")
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    threads: Threads = None,
    queue: Queued = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Import annotations of indexed pictures; importing the same file again changes nothing.

    Skipped records are listed, each with its reason, and make the exit code 3.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    with open_library(settings) as library:
        job = ImportJob(tuple(str(file.absolute()) for file in [*captions, *(boxes or [])]), encoder_wish(settings))
        report = run_job(library, job, queue=queue, json=json, quiet=quiet)
    if report is None:
        return exit_codes.OK
    if json:
        print_json(asdict(report))
        return exit_codes.PARTIAL if report.skipped else exit_codes.OK
    console = out()
    console.print(f"{report.captions} captions and {report.regions} boxes imported in {report.elapsed_s:.1f} s")
    if report.regions_embedded:
        console.print(f"{report.regions_embedded:>7} boxes embedded")
    if report.already_there:
        console.print(f"{report.already_there:>7} were there already")
    for record in report.skipped[:_LISTED]:
        err().print(f"  skipped: {record.where}: {record.code}: {record.reason}")
    if len(report.skipped) > _LISTED:
        summary = ", ".join(f"{code} {count}" for code, count in report.skipped_by_code().most_common())
        err().print(f"  … {len(report.skipped)} skipped in all ({summary}); --json lists them all")
    return exit_codes.PARTIAL if report.skipped else exit_codes.OK
