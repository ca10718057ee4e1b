"""`deixis captions`: whose captions and boxes the library holds, which of them are told, and erasing some."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import err, out, print_json, printable
from search.captioning import (
    GenerationInfo,
    drop_generations,
    list_generations,
    matching_generations,
    use_generations,
)
from search.errors import SettingsError
from search.sources import Forgotten, forget_source, list_sources


def list_sources_(home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Show every source of captions and boxes with its counts and languages.

    Below a captioner stand its generations: language, detail, of how many pictures it has spoken, and whether it rests.
    """
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        sources, generations = list_sources(library), list_generations(library)
    if json:
        print_json({"sources": [asdict(one) for one in sources], "generations": [asdict(one) for one in generations]})
        return exit_codes.OK
    console = out()
    if not sources and not generations:
        console.print("The library holds no captions and no boxes.")
    for source in sources:
        languages = ", ".join(source.languages) or "language unknown"
        console.print(printable(source.name))
        console.print(
            f"  {source.captions} captions ({languages}), {source.regions} boxes, on {source.images} pictures"
        )
        for one in (one for one in generations if one.source == source.name):
            console.print(f"  #{one.id} {_described(one)}")
    for one in generations:
        if one.source not in {source.name for source in sources}:
            console.print(f"{printable(one.source)}\n  #{one.id} {_described(one)}")
    return exit_codes.OK


def use(
    wanted: Annotated[
        list[str], typer.Argument(help="Captioners as `captions list` shows them, or their numbers; or all.")
    ],
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Let these captioners be searched and shown, and the others rest; what people and files say always is.

    Nothing is erased or made anew, so that it takes a moment and can be taken back.
    """
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        switched = use_generations(library, wanted)
    if json:
        print_json(asdict(switched))
        return exit_codes.OK
    for name in switched.told:
        out().print(f"told     {printable(name)}")
    for name in switched.resting:
        out().print(f"resting  {printable(name)}")
    if not switched.published:
        err().print("A job runs on this library; what is told counts from now on, and the indexes follow at its end.")
    return exit_codes.OK


def drop(
    wanted: Annotated[str, typer.Argument(help="A captioner as `captions list` shows it, or its number.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Erase what a captioner has said in one language and detail, or altogether; pictures stay.

    It can be made again by `deixis caption`. To keep it and hear it no more: `deixis captions use` the others.
    """
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        gone = matching_generations(library, wanted)
        if not yes and not _agreed(gone):
            out().print("nothing was erased")
            return exit_codes.OK
        report = drop_generations(library, wanted, [one.id for one in gone])
    _tell(report, json=json)
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
    _tell(report, json=json)
    return exit_codes.OK


def _described(one: GenerationInfo) -> str:
    said = ", ".join(known for known in (one.language, one.detail) if known) or "language and detail unknown"
    told = "resting" if one.resting else "told"
    return f"{told}: {said}; {one.images} of {one.of_images} pictures, since {one.started_at:%Y-%m-%d}"


def _agreed(gone: list[GenerationInfo]) -> bool:
    if not sys.stdin.isatty():
        raise SettingsError("nobody is there to be asked", remedy="Add --yes if it is to be erased.")
    for one in gone:
        err().print(f"{printable(one.name)}: {one.captions} captions and {one.regions} boxes")
    return typer.confirm("Erase them?", err=True)


def _tell(report: Forgotten, *, json: bool) -> None:
    if json:
        print_json(asdict(report))
        return
    what = f"{report.captions} captions, {report.regions} boxes and {report.texts} texts"
    out().print(f"{printable(report.source)}: {what} erased")
