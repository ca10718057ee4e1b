"""`deixis rebuild`: make the FAISS files anew from the segments."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.commands.verify import print_findings
from deixis.context import open_library, read_settings
from deixis.jobs import Queued, run_job
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import out, print_json
from indexer.jobs.kinds import RebuildJob
from search import maintenance


def rebuild(
    home: Home = None,
    database_url: DatabaseUrl = None,
    compact: Annotated[bool, typer.Option("--compact", help="Also drop dead rows from the segments.")] = False,
    queue: Queued = False,
    json: Json = False,
) -> int:
    """Restore the search index from the stored vectors; no picture is read and no model is needed."""
    settings = read_settings(home=home, database_url=database_url)
    with open_library(settings) as library:
        job = RebuildJob(compact)
        done = run_job(library, job, queue=queue, json=json, quiet=True)
        if done is None:
            return exit_codes.OK
        report = maintenance.verify(library)
    if json:
        print_json({"rebuilt": asdict(done), "findings": [asdict(finding) for finding in report.findings]})
        return exit_codes.ERROR if report.findings else exit_codes.OK
    print_findings(report)
    out().print(f"rebuilt; verify finds {len(report.findings) or 'nothing'} wrong")
    return exit_codes.ERROR if report.findings else exit_codes.OK
