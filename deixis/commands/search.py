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
from deixis.output import duration, err, out, print_json, printable
from search.errors import QueryError
from search.query.sources.crops import cropped
from search.results import Hit, SearchRequest, SearchResult
from search.service import SearchService

_COSINE = "score: cosine similarity of query and picture, from -1 to 1; higher is closer"
_FUSED = "likely: how likely the picture is what was asked for; a line lies under those that are"


def search(
    words: Annotated[list[str] | None, typer.Argument(help="What you look for, in your own words.")] = None,
    like: Annotated[
        list[Path] | None,
        typer.Option("--like", help="Find pictures that look like this file; again for several.", show_default=False),
    ] = None,
    crop: Annotated[
        list[str] | None,
        typer.Option("--crop", help="The part that counts, as in 0.1,0.2,0.6,0.9; again for each --like."),
    ] = None,
    collapse: Annotated[bool, typer.Option("--collapse", help="Show pictures that are nearly the same once.")] = False,
    k: Annotated[int, typer.Option(*TOP, help="How many pictures to show.")] = 10,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Search the library by words, by pictures with --like, or by both.

    Words are a query: -word, "exact words", OR, (brackets), word^2, date:2024-05..2024-08, folder:, name:, orient:,
    size:, format:, has:, lang:, source:, like:ID, region:ID, sort:date. See docs/query-language.md.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    query = " ".join(word.removeprefix(WORD_MARK) for word in words) if words else None
    if query is None and not like:
        raise QueryError("give a query, --like FILE, or both", remedy="For example: deixis search two zebras")
    started = time.perf_counter()
    pictures = cropped([read_picture(path, settings) for path in like or ()], crop or ())
    with open_library(settings) as library:
        service = SearchService(library, library_encoder(settings, library))
        request = SearchRequest(text=query, pictures=pictures, k=k, collapse="near" if collapse else "none")
        result = service.search(request)
    loading_s = time.perf_counter() - started - result.took_ms / 1000
    if json:
        print_json(_as_json(result))
    else:
        _print(result, loading_s)
    return exit_codes.OK


def _print(result: SearchResult, loading_s: float) -> None:
    console = out()
    _print_understanding(result)
    if not result.hits:
        console.print("No picture in the library." if not result.waiting else _waiting(result))
        return
    if result.likely == 0:
        nearest = f" Nearest to it: {', '.join(map(printable, result.nearest))}." if result.nearest else ""
        console.print(f"Nothing in this library looks like that.{nearest}")
    # A terminal gets a table that fits; a pipe gets whole paths, however long.
    width = None if console.is_terminal else 10_000
    table = Table(box=None, pad_edge=False, header_style="bold")
    judged = result.likely is not None
    table.add_column("#", justify="right")
    table.add_column("likely" if judged else "score", justify="right")
    table.add_column("picture", overflow="fold")
    phrases = [printable(_phrase(hit)) for hit in result.hits]
    if any(phrases):
        table.add_column("matched phrase", overflow="fold")
    for number, (hit, phrase) in enumerate(zip(result.hits, phrases, strict=True)):
        shown = f"{hit.score:.3f}" if hit.likelihood is None else f"{100 * hit.likelihood:.0f} %"
        cells = [str(hit.rank), shown, printable(hit.path), phrase]
        if number and result.hits[number - 1].likely and not hit.likely:
            table.add_section()
            table.add_row("", "", "── less likely ──")
        table.add_row(*cells[: len(table.columns)])
    Console(highlight=False, markup=False, width=width).print(table)
    console.print(_FUSED if judged else _COSINE)
    pictures = "1 picture" if result.images_searched == 1 else f"{result.images_searched} pictures"
    console.print(
        f"{pictures} searched in {duration(result.took_ms / 1000)} with {result.model}; loading took "
        f"{duration(loading_s)}"
    )
    if result.waiting:
        console.print(_waiting(result))


def _print_understanding(result: SearchResult) -> None:
    """What the query was understood to say, where it is more than words."""
    if any(token.kind != "words" for token in result.tokens):
        err().print("; ".join(printable(token.means) for token in result.tokens))
    for remark in result.remarks:
        err().print(printable(remark))
    if result.unread:
        err().print(
            f"The model cannot read {', '.join(map(printable, result.unread))}; only texts were searched for that."
        )


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
