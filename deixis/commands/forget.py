"""`deixis forget`: take folders or files out of the library."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import out, print_json, printable
from indexer.forget import ForgetReport
from indexer.forget import forget as forget_paths


def forget(
    paths: Annotated[
        list[str],
        typer.Argument(help="Folders, files or URLs; they need not be on the disk any more.", show_default=False),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much it would be.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Take folders or files out of the library; nothing on the disk is touched.

    Their pictures go with captions, boxes and previews, unless another file of the library holds the same picture.
    Where a folder above is indexed, the forgotten one is passed over there from now on; `deixis index` with its name
    brings it back.
    """
    settings = read_settings(home=home, database_url=database_url)
    with open_library(settings) as library:
        report = forget_paths(library, paths, trial=dry_run)
    if json:
        print_json(asdict(report) | {"dry_run": dry_run})
    else:
        _print(report, dry_run=dry_run)
    return exit_codes.OK


def _print(report: ForgetReport, *, dry_run: bool) -> None:
    console = out()
    done = "would be taken out" if dry_run else "taken out"
    console.print(f"{report.files} files and {report.pictures} pictures {done}")
    console.print(f"{report.captions} captions, {report.regions} boxes and {report.previews} previews went with them")
    for root, pattern in report.excluded:
        console.print(f"{printable(root)} passes over {printable(pattern)} from now on")
