"""`deixis caption`: let a grounded captioner write about the pictures and point at what it names."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from deixis import exit_codes
from deixis.context import decode_limits, library_encoder, open_library, read_settings
from deixis.options import DEFAULT_CAPTIONER, DatabaseUrl, Home, Json, Quiet, Threads
from deixis.output import err, out, print_json, printable, progress_bar
from indexer.caption import CaptionOptions, caption_library
from vision.grounding.registry import load_captioner
from vision.translation.captioner import in_language

_LISTED = 20


def caption(
    captioner: Annotated[
        str | None, typer.Option("--captioner", help="Preset, folder or cached hub id (DEIXIS_CAPTIONER).")
    ] = None,
    detail: Annotated[Literal["brief", "detailed"], typer.Option("--detail", help="How much to say.")] = "brief",
    language: Annotated[
        str | None, typer.Option("--language", help="ISO 639-1 code; the captioner's first language if left out.")
    ] = None,
    translator: Annotated[
        str | None,
        typer.Option("--translator", help="For languages that the captioner does not write: m2m100, or a folder."),
    ] = None,
    precision: Annotated[
        str,
        typer.Option("--precision", help="Of the captioner: float32, bfloat16, float16 (on CUDA) or int8 (on CPU)."),
    ] = "float32",
    home: Home = None,
    database_url: DatabaseUrl = None,
    threads: Threads = None,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch-size", min=1, max=1024, help="Pictures at once; what the memory allows if left out."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Caption every picture that this captioner has not captioned yet; stop and go on as you like.

    Exit code 0: every picture has its caption. 3: done, but some pictures could not be read. 1: it could not be done.
    """
    settings = read_settings(home=home, database_url=database_url, captioner=captioner, threads=threads)
    options = CaptionOptions(
        detail=detail,
        language=language,
        batch_size=batch_size,
        decode_workers=settings.decoders,
        limits=decode_limits(settings),
    )
    with open_library(settings) as library:
        encoder = library_encoder(settings, library)
        model = load_captioner(
            settings.captioner or DEFAULT_CAPTIONER, threads=settings.compute_threads, precision=precision
        )
        model = in_language(model, language, translator=translator, threads=settings.compute_threads)
        with progress_bar(quiet=quiet or json) as on_progress:
            report = caption_library(library, encoder, model, options, on_progress)
    if json:
        print_json(asdict(report))
        return exit_codes.PARTIAL if report.refused else exit_codes.OK
    rate = report.captioned / report.elapsed_s if report.elapsed_s else 0.0
    out().print(
        f"{report.captioned} pictures captioned in {report.elapsed_s:.1f} s ({rate:.1f}/s), {report.regions} boxes"
    )
    if report.batches:
        out().print(str(report.batches))
    if report.silent or report.dropped_boxes:
        out().print(f"{report.silent} pictures without a word, {report.dropped_boxes} boxes dropped that were none")
    for file in report.refused[:_LISTED]:
        err().print(f"  refused: {printable(file.path)}: {file.reason}")
    return exit_codes.PARTIAL if report.refused else exit_codes.OK
