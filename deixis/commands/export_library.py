"""`deixis export-library`: the whole library as Parquet files that others can read, too."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.jobs import Queued, run_job
from deixis.options import DatabaseUrl, Home, Json, Quiet
from deixis.output import byte_count, out, print_json, printable
from indexer.export_library import ExportOptions
from indexer.jobs.kinds import ExportJob


def export_library(
    folder: Annotated[Path, typer.Argument(help="Folder to make; it appears when all is on disk.")],
    previews: Annotated[bool, typer.Option("--previews", help="The previews, too.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    queue: Queued = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write rows, vectors and what the library keeps beside them; the pictures themselves stay where they are.

    Other commands may run meanwhile: the export is the library as it was at the beginning. Paths and captions are in
    it in plain words: keep it as you keep the pictures.
    """
    settings = read_settings(home=home, database_url=database_url)
    with open_library(settings) as library:
        job = ExportJob(str(folder.expanduser().absolute()), ExportOptions(previews=previews))
        report = run_job(library, job, queue=queue, json=json, quiet=quiet)
    if report is None:
        return exit_codes.OK
    if json:
        print_json(asdict(report))
        return exit_codes.OK
    counts = ", ".join(f"{count} {what}" for what, count in report.counts.items() if count)
    out().print(f"{printable(report.folder)}: {byte_count(report.size_bytes)} in {report.elapsed_s:.1f} s")
    out().print(f"  {counts}")
    return exit_codes.OK
