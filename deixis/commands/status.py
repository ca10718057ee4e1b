"""`deixis status`: how much is in the library."""

from __future__ import annotations

import os
from dataclasses import asdict

from deixis import exit_codes
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import out, print_json
from deixis.passed_over import described
from search.glance import glance
from search.index_info import IndexInfo
from search.results import LibraryStatus
from search.settings import Settings, load_settings


def status(
    home: Home = None,
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Show what the library holds."""
    settings = load_settings(os.environ, home=home, database_url=database_url)
    found = glance(settings) or _status(settings)
    if json:
        print_json(asdict(found))
        return exit_codes.OK
    console = out()
    console.print(f"library    {settings.home}")
    console.print(f"model      {found.model or '(none yet)'}")
    for number, root in enumerate(found.roots):
        console.print(f"{'' if number else 'folders':<11}{described(root)}")
    console.print(f"pictures   {found.images} in {found.files_indexed} files")
    console.print(
        f"captions   {found.captions}, boxes {found.regions}, distinct texts {found.texts}, facts {found.facts}"
    )
    if found.lines:
        console.print(f"read       {found.lines} lines of text")
    console.print(f"left out   {found.files_refused} refused, {found.files_missing} missing")
    published = ", ".join(f"{count} {kind}" for kind, count in sorted(found.published.items()))
    console.print(f"searchable {published or 'nothing published'} vectors")
    for number, line in enumerate(map(_described, found.indexes)):
        console.print(f"{'' if number else 'indexes':<11}{line}")
    return exit_codes.OK


def _described(index: IndexInfo) -> str:
    """`image: PQ256x4fs,Refine(SQfp16), compares 160 for 10 and 800 for 100 hits, finds 100.0 % and 99.98 % …`."""
    measured = index.measured or {}
    factors, recalls = measured.get("k_factor") or {}, measured.get("k_recall") or {}
    if not factors:
        tried = f"; codes found too little on {measured['queries']} {measured['of']}" if recalls else ""
        return f"{index.kind}: {index.index_key}, compares all{tried}"
    compared = " and ".join(f"{round(int(k) * factor)} for {k}" for k, factor in factors.items())
    found = ", ".join(f"recall@{k} {recall:.4f}" for k, recall in recalls.items())
    on = f"on {measured.get('queries')} {measured.get('of')}"
    return f"{index.kind}: {index.index_key}, compares {compared} hits: {found} {on}"


def _status(settings: Settings) -> LibraryStatus:
    """The same by the engine: for Postgres, and where the engine has to say what is wrong."""
    from search.library import Library  # noqa: PLC0415  # a second of imports, for what few libraries need
    from search.service import SearchService  # noqa: PLC0415  # as above

    with Library.open(settings.home, settings.database_url) as library:
        return SearchService(library).status()
