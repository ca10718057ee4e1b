"""`deixis read`: read the text in the pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import decode_limits, open_library, read_settings
from deixis.index_options import RetryRefused
from deixis.jobs import Queued, encoder_wish, from_anywhere, run_job
from deixis.options import DatabaseUrl, Home, Json, LibraryModelName, Quiet, Threads, complete_reader
from deixis.output import err, out, print_json, printable, rate
from indexer.jobs.kinds import ReadJob
from indexer.read import ReadOptions, ReadReport
from vision.readers.presets import DEFAULT_READER

_LISTED = 20


def read(
    reader: Annotated[
        str,
        typer.Option(
            "--reader", help="Preset, or a folder of graphs for other scripts.", autocompletion=complete_reader
        ),
    ] = DEFAULT_READER,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Only pictures below this folder of the library.", show_default=False),
    ] = None,
    thorough: Annotated[
        bool,
        typer.Option("--thorough", help="Look closely also where a first look finds no text: small and faint words."),
    ] = False,
    home: Home = None,
    database_url: DatabaseUrl = None,
    threads: Threads = None,
    model: LibraryModelName = None,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, max=1024, help="Pictures per transaction.")] = 16,
    retry_refused: RetryRefused = False,
    queue: Queued = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Read every picture that was not read yet; stop and go on as you like.

    The words become searchable, as free text and with text:word, and the lines that hold them are drawn on the hits.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    options = ReadOptions(
        folder=None if folder is None else folder.absolute(),
        retry_refused=retry_refused,
        batch_size=batch_size,
        decode_workers=settings.decoders,
        limits=decode_limits(settings),
    )
    with open_library(settings) as library:
        job = ReadJob(from_anywhere(reader), options, encoder_wish(settings), thorough)
        report = run_job(library, job, queue=queue, json=json, quiet=quiet)
    if report is None:
        return exit_codes.OK
    print_json(asdict(report)) if json else _print(report)
    return exit_codes.PARTIAL if report.refused or report.texts_refused else exit_codes.OK


def _print(report: ReadReport) -> None:
    speed = rate(report.pictures, report.elapsed_s)
    out().print(f"{report.pictures} pictures read in {report.elapsed_s:.1f} s{speed}")
    if report.pictures:
        glanced = f", {report.glanced} needed no second look" if report.glanced else ""
        out().print(f"{report.lines} lines of text in {report.with_text} of them{glanced}")
    for file in report.refused[:_LISTED]:
        err().print(f"  refused: {printable(file.path)}: {file.reason}")
    for text in report.texts_refused[:_LISTED]:
        err().print(f"  {text.where}: {text.code}: {text.reason}")
