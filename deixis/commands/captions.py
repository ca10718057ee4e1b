"""`deixis captions`: whose captions and boxes the library holds, and forgetting one source."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import out, print_json, printable
from search.sources import forget_source, list_sources


def list_sources_(home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Show every source of captions and boxes with its counts and languages."""
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        sources = list_sources(library)
    if json:
        print_json({"sources": [asdict(source) for source in sources]})
        return exit_codes.OK
    console = out()
    if not sources:
        console.print("The library holds no captions and no boxes.")
    for source in sources:
        languages = ", ".join(source.languages) or "language unknown"
        console.print(printable(source.name))
        console.print(
            f"  {source.captions} captions ({languages}), {source.regions} boxes, on {source.images} pictures"
        )
    return exit_codes.OK


def forget(
    source: Annotated[str, typer.Argument(help="A source as `captions list` shows it, or its beginning.")],
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Erase the captions, boxes and texts of one source; pictures stay.

    What was erased is no longer found or shown. A captioner's captions can be made again by `deixis caption`, imported
    ones by `deixis import`.
    """
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        report = forget_source(library, source)
    if json:
        print_json(asdict(report))
        return exit_codes.OK
    what = f"{report.captions} captions, {report.regions} boxes and {report.texts} texts"
    out().print(f"{printable(report.source)}: {what} erased")
    return exit_codes.OK
