"""`deixis rebuild`: make the FAISS files anew from the segments."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.commands.verify import print_findings
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import out, print_json
from search import maintenance


def rebuild(
    home: Home = None,
    database_url: DatabaseUrl = None,
    compact: Annotated[bool, typer.Option("--compact", help="Also drop dead rows from the segments.")] = False,
    json: Json = False,
) -> int:
    """Restore the search index from the stored vectors; no picture is read and no model is needed."""
    settings = read_settings(home=home, database_url=database_url)
    with open_library(settings) as library:
        done = maintenance.rebuild(library, compact=compact)
        report = maintenance.verify(library)
    if json:
        print_json({"rebuilt": asdict(done), "findings": [asdict(finding) for finding in report.findings]})
        return exit_codes.ERROR if report.findings else exit_codes.OK
    print_findings(report)
    out().print(f"rebuilt; verify finds {len(report.findings) or 'nothing'} wrong")
    return exit_codes.ERROR if report.findings else exit_codes.OK
