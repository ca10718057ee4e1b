"""`deixis import-library`: an exported library into an empty home."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json, Quiet
from deixis.output import err, out, print_json
from deixis.progress import progress_bar
from indexer.import_library import ImportOptions
from indexer.import_library import import_library as read_export
from search.portable.path_map import parsed_pairs


def import_library(
    folder: Annotated[Path, typer.Argument(help="What `deixis export-library` made.")],
    moved: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="Pictures below OLD lie below NEW here; may be given again."),
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Fill an empty home, on SQLite or Postgres, whichever the library had; all of it is imported, or nothing.

    Ids stay, so that addresses of pictures do. No picture is read and no model is needed; `deixis index` then looks
    what has changed on the disk.
    """
    settings = read_settings(home=home, database_url=database_url)
    options = ImportOptions(moved=tuple(parsed_pairs(moved or [])), decode_workers=settings.decoders)
    with open_library(settings, create=True) as library, progress_bar(quiet=quiet or json) as on_progress:
        report = read_export(library, folder, options, on_progress)
    code = exit_codes.PARTIAL if report.left_out else exit_codes.OK
    if json:
        print_json(asdict(report))
        return code
    counts = ", ".join(f"{count} {what}" for what, count in report.counts.items() if count)
    out().print(f"imported in {report.elapsed_s:.1f} s: {counts}")
    if report.left_out:
        err().print(f"  {report.left_out} previews and patches were not what they should be; they are made again")
    return code
