"""`deixis caption`: let a grounded captioner write about the pictures and point at what it names."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from deixis.context import DatabaseUrl, Home, Threads, decode_limits, library_encoder, open_library, read_settings
from deixis.output import err, out, print_json, printable, progress_bar
from indexer.caption import CaptionOptions, caption_library
from vision.grounding.registry import load_captioner

_LISTED = 20


def caption(
    captioner: Annotated[str, typer.Option("--captioner", help="Preset, folder or cached hub id.")] = "kosmos2",
    detail: Annotated[Literal["brief", "detailed"], typer.Option("--detail", help="How much to say.")] = "brief",
    language: Annotated[
        str | None, typer.Option("--language", help="ISO 639-1 code; the captioner's first language if left out.")
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    threads: Threads = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, max=1024, help="Pictures per batch.")] = 16,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
) -> int:
    """Caption every picture that this captioner has not captioned yet; stop and go on as you like.

    Exit code 0: every picture has its caption. 3: done, but some pictures could not be read. 1: it could not be done.
    """
    settings = read_settings(home=home, database_url=database_url, threads=threads)
    options = CaptionOptions(
        detail=detail,
        language=language,
        batch_size=batch_size,
        decode_workers=settings.decoders,
        limits=decode_limits(settings),
    )
    with open_library(settings) as library:
        encoder = library_encoder(settings, library)
        model = load_captioner(captioner, threads=settings.compute_threads)
        with progress_bar(quiet=quiet or json) as on_progress:
            report = caption_library(library, encoder, model, options, on_progress)
    if json:
        print_json(asdict(report))
        return 3 if report.refused else 0
    rate = report.captioned / report.elapsed_s if report.elapsed_s else 0.0
    out().print(
        f"{report.captioned} pictures captioned in {report.elapsed_s:.1f} s ({rate:.1f}/s), {report.regions} boxes"
    )
    if report.silent or report.dropped_boxes:
        out().print(f"{report.silent} pictures without a word, {report.dropped_boxes} boxes dropped that were none")
    for file in report.refused[:_LISTED]:
        err().print(f"  refused: {printable(file.path)}: {file.reason}")
    return 3 if report.refused else 0
