"""`deixis duplicates`: which files show the same picture."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import byte_count, err, out, print_json, printable
from search.duplicates import CopyFile, Duplicates, find_duplicates


def duplicates(
    below: Annotated[
        Path | None,
        typer.Option("--below", help="Only groups with a member at or below this path.", show_default=False),
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Only files with the same bytes.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Show at most so many groups.", show_default=False)
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Group files that show the same picture, byte for byte or nearly; nothing is deleted or changed.

    Nearly the same are copies that were made smaller, compressed again or converted, as `search --collapse` folds them;
    not cut, turned or mirrored ones. The group that takes up most stands first. It is what the last `deixis index` saw.
    """
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        found = find_duplicates(library, below=below, exact=exact, limit=limit)
    if json:
        print_json(asdict(found))
    else:
        _print(found)
    if not found.unhashed:
        return exit_codes.OK
    err().print(
        f"{found.unhashed} pictures were indexed by an older version and compared by their bytes alone: "
        "`deixis index --rescan` notes what they look like."
    )
    return exit_codes.PARTIAL


def _print(found: Duplicates) -> None:
    console = out()
    for number, group in enumerate(found.groups, start=1):
        likeness = "the same bytes" if group.equal else "nearly the same"
        spare = byte_count(group.spare_bytes)
        console.print(f"{number}. {likeness}: {len(group.files)} files, {spare} beside the largest")
        cells = [_cells(file) for file in group.files]
        # By hand and not by a table of Rich's: that folds paths, and what is copied from here should be whole.
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row, file in zip(cells, group.files, strict=True):
            facts = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            console.print(f"   {facts}  {printable(file.path)}")
    shown = f"; the first {len(found.groups)} are shown" if len(found.groups) < found.groups_found else ""
    spare = byte_count(found.spare_bytes)
    console.print(
        f"{found.pictures} pictures: {found.groups_found} groups of {found.files} files, {spare} beside the largest of "
        f"each{shown}"
    )
    if found.plain:
        console.print(
            f"{found.plain} pictures are too plain to compare by what they look like; by their bytes they were"
        )
    console.print("Nothing was deleted or changed.")


def _cells(file: CopyFile) -> tuple[str, ...]:
    marks = [name for name, given in (("largest", file.largest), ("oldest", file.oldest)) if given]
    return (
        f"{file.width_px} × {file.height_px}",
        byte_count(file.size_bytes),
        printable(file.format),
        (file.taken_at or file.modified_at).date().isoformat(),
        ", ".join(marks),
    )
