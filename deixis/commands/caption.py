"""`deixis caption`: let a grounded captioner write about the pictures and point at what it names."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from deixis import exit_codes
from deixis.context import decode_limits, open_library, read_settings
from deixis.index_options import RetryRefused
from deixis.jobs import Queued, encoder_wish, from_anywhere, run_job
from deixis.options import (
    BatchSize,
    CaptionerName,
    DatabaseUrl,
    Home,
    Json,
    Language,
    LibraryModelName,
    Quiet,
    Threads,
    TranslatorName,
)
from deixis.output import err, out, print_json, printable, rate
from deixis.stage_times import Profile, print_stages
from indexer.caption import CaptionOptions
from indexer.jobs.kinds import CaptionJob
from indexer.report import CaptionReport
from vision.grounding.presets import DEFAULT_CAPTIONER

_LISTED = 20


def caption(
    captioner: CaptionerName = None,
    detail: Annotated[Literal["brief", "detailed"], typer.Option("--detail", help="How much to say.")] = "brief",
    language: Language = None,
    translator: TranslatorName = None,
    precision: Annotated[
        str,
        typer.Option("--precision", help="Of the captioner: float32, bfloat16, float16 (on CUDA) or int8 (on CPU)."),
    ] = "float32",
    home: Home = None,
    database_url: DatabaseUrl = None,
    threads: Threads = None,
    model: LibraryModelName = None,
    batch_size: BatchSize = None,
    retry_refused: RetryRefused = False,
    queue: Queued = False,
    profile: Profile = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Let a captioner write about every picture that it has not captioned yet; stop and go on as you like.

    Its sentences and the things that it names become searchable, and their boxes are drawn on the hits. kosmos2 wants
    a GPU or patience, florence2-base is for a CPU.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, captioner=captioner, threads=threads)
    options = CaptionOptions(
        detail=detail,
        language=language,
        retry_refused=retry_refused,
        batch_size=batch_size,
        decode_workers=settings.decoders,
        limits=decode_limits(settings),
    )
    job = CaptionJob(
        from_anywhere(settings.captioner or DEFAULT_CAPTIONER),
        options,
        encoder_wish(settings),
        None if translator is None else from_anywhere(translator),
        precision,
    )
    with open_library(settings) as library:
        report = run_job(library, job, queue=queue, json=json, quiet=quiet)
    if report is None:
        return exit_codes.OK
    print_json(asdict(report)) if json else _print(report)
    if profile and not json:
        print_stages(report.stages, report.elapsed_s)
    return exit_codes.PARTIAL if report.refused or report.texts_refused or report.boxes.refused else exit_codes.OK


def _print(report: CaptionReport) -> None:
    speed = rate(report.captioned, report.elapsed_s)
    if report.generation is not None:
        one = report.generation
        rests = f"; it rests until you run `deixis captions use {one.id}`" if one.resting else ""
        out().print(f"{printable(one.name)}: {one.images} of {one.of_images} pictures{rests}")
    out().print(f"{report.captioned} pictures captioned in {report.elapsed_s:.1f} s{speed}, {report.regions} boxes")
    if report.batches:
        out().print(str(report.batches))
    if report.boxes.embedded:
        out().print(f"{report.boxes.embedded} boxes embedded")
    if report.silent or report.dropped_boxes:
        out().print(f"{report.silent} pictures without a word, {report.dropped_boxes} boxes dropped that were none")
    for file in report.refused[:_LISTED]:
        err().print(f"  refused: {printable(file.path)}: {file.reason}")
    for text in [*report.texts_refused, *report.boxes.refused][:_LISTED]:
        err().print(f"  {text.where}: {text.code}: {text.reason}")
