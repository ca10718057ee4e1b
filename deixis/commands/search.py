"""`deixis search`: the best pictures for a sentence, or for another picture."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from deixis import exit_codes
from deixis.context import library_encoder, open_library, read_picture, read_settings
from deixis.lazy import WORD_MARK
from deixis.options import TOP, DatabaseUrl, Home, Json, LibraryModelName, Threads
from deixis.output import duration, out, print_json, printable
from search.errors import QueryError
from search.results import Hit, SearchRequest, SearchResult
from search.service import SearchService

_COSINE = "score: cosine similarity of query and picture, from -1 to 1; higher is closer"
_FUSED = "score: cosine similarity of query and picture, plus what a caption or phrase adds"


def search(
    words: Annotated[list[str] | None, typer.Argument(help="What you look for, in your own words.")] = None,
    like: Annotated[
        Path | None, typer.Option("--like", help="Find pictures that look like this file.", show_default=False)
    ] = None,
    k: Annotated[int, typer.Option(*TOP, help="How many pictures to show.")] = 10,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Search the library by words, or by a picture with --like."""
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    query = " ".join(word.removeprefix(WORD_MARK) for word in words) if words else None
    if (query is None) == (like is None):
        raise QueryError("give either a query or --like FILE", remedy="For example: deixis search two zebras")
    started = time.perf_counter()
    image = None if like is None else read_picture(like, settings)
    with open_library(settings) as library:
        service = SearchService(library, library_encoder(settings, library))
        result = service.search(SearchRequest(text=query, image=image, k=k))
    loading_s = time.perf_counter() - started - result.took_ms / 1000
    if json:
        print_json(_as_json(result))
    else:
        _print(result, loading_s)
    return exit_codes.OK


def _print(result: SearchResult, loading_s: float) -> None:
    console = out()
    if not result.hits:
        console.print("No picture in the library." if not result.waiting else _waiting(result))
        return
    # A terminal gets a table that fits; a pipe gets whole paths, however long.
    width = None if console.is_terminal else 10_000
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("score", justify="right")
    table.add_column("picture", overflow="fold")
    phrases = [printable(_phrase(hit)) for hit in result.hits]
    if any(phrases):
        table.add_column("matched phrase", overflow="fold")
    for hit, phrase in zip(result.hits, phrases, strict=True):
        cells = [str(hit.rank), f"{hit.score:.3f}", printable(hit.path), phrase]
        table.add_row(*cells[: len(table.columns)])
    Console(highlight=False, markup=False, width=width).print(table)
    fused = any(hit.parts.get("text") for hit in result.hits)
    console.print(_FUSED if fused else _COSINE)
    pictures = "1 picture" if result.images_searched == 1 else f"{result.images_searched} pictures"
    console.print(
        f"{pictures} searched in {duration(result.took_ms / 1000)} with {result.model}; loading took "
        f"{duration(loading_s)}"
    )
    if result.waiting:
        console.print(_waiting(result))


def _waiting(result: SearchResult) -> str:
    return f"{result.waiting} pictures wait to be published and were not searched: run `deixis index`"


def _phrase(hit: Hit) -> str:
    if hit.regions:
        return hit.regions[0].phrase
    return hit.caption.text if hit.caption else ""


def _as_json(result: SearchResult) -> dict[str, Any]:
    document = asdict(result)
    for hit in document["hits"]:
        hit["path"] = printable(hit["path"])
    return document
