"""`deixis watch`: keep the library up to date while its folders change."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Annotated, Self

import typer

from deixis import exit_codes
from deixis.context import decode_limits, open_library, read_settings
from deixis.jobs import encoder_wish
from deixis.lazy import ADVANCED
from deixis.options import DatabaseUrl, Home, LibraryModelName, Quiet, Threads
from deixis.output import err, printable
from deixis.progress import progress_bar
from indexer.jobs.desk import Desk
from indexer.jobs.kinds import WatchJob
from indexer.jobs.lasting import run_lasting
from indexer.options import IndexOptions
from indexer.report import IndexReport, OnProgress, Progress
from indexer.watching.watch import WatchOptions

_LISTED = 20


def watch(
    scan_every: Annotated[
        float, typer.Option("--scan-every", min=1, help="Minutes between two scans of all folders, whatever was told.")
    ] = 60.0,
    silent_every: Annotated[
        float, typer.Option("--silent-every", min=0.1, help="The same for folders of which the system tells nothing.")
    ] = 1.0,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    threads: Threads = None,
    parent: Annotated[
        int | None,
        typer.Option(
            "--parent",
            help="End when the process of this number, which began this one, has ended.",
            show_default=False,
            rich_help_panel=ADVANCED,
        ),
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Keep the library up to date with its folders until stopped.

    New, changed, moved and deleted pictures are found within seconds. Files that are still being written are waited
    for. Where the system tells nothing of changes, folders are scanned instead.
    """
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    index = IndexOptions(decode_workers=settings.decoders, limits=decode_limits(settings))
    options = WatchOptions(index, scan_every_s=60 * scan_every, silent_every_s=60 * silent_every)

    def look_up() -> None:
        if parent is not None and os.getppid() != parent:
            _say("the process that began it has ended")
            raise KeyboardInterrupt

    with open_library(settings) as library, _Bars(look_up, quiet=quiet) as bars:
        _say("begun")
        run_lasting(
            library, WatchJob(options, encoder_wish(settings)), lambda: Desk(bars, _say, tell=_tell), _say, look_up
        )
    _say("cancelled")
    return exit_codes.OK


class _Bars:
    """A progress bar for each burst, and none between them.

    Args:
        look_up: called at every step.
        quiet: no bars at all.
    """

    def __init__(self, look_up: Callable[[], None], *, quiet: bool) -> None:
        self._look_up = look_up
        self._quiet = quiet
        self._bar = contextlib.ExitStack()
        self._show: OnProgress | None = None

    def __call__(self, step: Progress) -> None:
        self._look_up()
        if step.stage == "watching":
            self._bar.close()
            self._show = None
            return
        if self._show is None:
            self._show = self._bar.enter_context(progress_bar(quiet=self._quiet))
        self._show(step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def _say(line: str) -> None:
    err().print(f"watch: {printable(line)}")


def _tell(report: IndexReport) -> None:
    counts = (
        (report.embedded, "new or changed"),
        (report.reused, "known by their content"),
        (report.missing, "gone"),
        (report.excluded, "passed over from now on"),
        (len(report.refused), "refused"),
    )
    _say(", ".join(f"{count} {what}" for count, what in counts if count))
    for file in report.refused[:_LISTED]:
        err().print(f"  refused: {printable(file.path)}: {file.reason}")
    if len(report.refused) > _LISTED:
        err().print(f"  … and {len(report.refused) - _LISTED} more")
