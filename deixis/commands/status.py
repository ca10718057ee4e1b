"""`deixis status`: how much is in the library."""

from __future__ import annotations

from dataclasses import asdict

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import out, print_json
from search.service import SearchService


def status(
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Show what the library holds."""
    settings = read_settings(home=home, database_url=database_url)
    with open_library(settings) as library:
        found = SearchService(library).status()
    if json:
        print_json(asdict(found))
        return exit_codes.OK
    console = out()
    console.print(f"library    {settings.home}")
    console.print(f"model      {found.model or '(none yet)'}")
    console.print(f"pictures   {found.images} in {found.files_indexed} files")
    console.print(f"captions   {found.captions}, boxes {found.regions}, distinct texts {found.texts}")
    console.print(f"left out   {found.files_refused} refused, {found.files_missing} missing")
    published = ", ".join(f"{count} {kind}" for kind, count in sorted(found.published.items()))
    console.print(f"searchable {published or 'nothing published'} vectors")
    return exit_codes.OK
