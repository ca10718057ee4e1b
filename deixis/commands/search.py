"""`deixis search`: the best pictures for a sentence, or for another picture."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from deixis import exit_codes
from deixis.context import library_encoder, open_library, read_picture, read_settings
from deixis.options import DatabaseUrl, Home, Json, ModelName, Threads
from deixis.output import out, print_json, printable
from search.errors import QueryError
from search.results import Hit, SearchRequest, SearchResult
from search.service import SearchService


def search(
    query: Annotated[str | None, typer.Argument(help="What you are looking for, in your own words.")] = None,
    like: Annotated[Path | None, typer.Option("--like", help="Find pictures that look like this file.")] = None,
    k: Annotated[int, typer.Option("-k", help="How many.")] = 10,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: ModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Search the library by words, or by a picture with --like."""
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    if (query is None) == (like is None):
        raise QueryError("give either a query or --like FILE", remedy='For example: deixis search "two zebras"')
    image = None if like is None else read_picture(like, settings)
    with open_library(settings) as library:
        service = SearchService(library, library_encoder(settings, library))
        result = service.search(SearchRequest(text=query, image=image, k=k))
    if json:
        print_json(_as_json(result))
    else:
        _print(result)
    return exit_codes.OK


def _print(result: SearchResult) -> None:
    console = out()
    if not result.hits:
        console.print("No picture in the library.")
        return
    # A terminal gets a table that fits; a pipe gets whole paths, however long.
    width = None if console.is_terminal else 10_000
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("score", justify="right")
    table.add_column("picture", overflow="fold")
    table.add_column("matched phrase", overflow="fold")
    for hit in result.hits:
        table.add_row(str(hit.rank), f"{hit.score:.3f}", printable(hit.path), printable(_phrase(hit)))
    Console(highlight=False, markup=False, width=width).print(table)
    console.print(f"{result.images_searched} pictures searched in {result.took_ms:.0f} ms with {result.model}")


def _phrase(hit: Hit) -> str:
    if hit.regions:
        return hit.regions[0].phrase
    return hit.caption.text if hit.caption else ""


def _as_json(result: SearchResult) -> dict[str, Any]:
    document = asdict(result)
    for hit in document["hits"]:
        hit["path"] = printable(hit["path"])
    return document
