"""`deixis index`: bring the library up to date with folders of pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from deixis import exit_codes
from deixis.context import decode_limits, open_library, read_settings
from deixis.index_lists import fetch_limits, paths_of, urls_of
from deixis.index_options import (
    Archives,
    ClearRules,
    Exclude,
    FollowLinks,
    FromList,
    FromUrls,
    Include,
    Looks,
    Nul,
    Patches,
    Prune,
    ReplaceModel,
    Rescan,
    RetryRefused,
    Verbose,
)
from deixis.jobs import Queued, encoder_wish, run_job
from deixis.options import BackendName, BatchSize, DatabaseUrl, Home, Json, ModelName, PrecisionName, Quiet, Threads
from deixis.output import err, out, print_json, printable, rate
from deixis.passed_over import counted, listed
from deixis.stage_times import Profile, print_stages
from indexer.jobs.kinds import IndexJob
from indexer.options import IndexOptions
from indexer.places import resolve_root
from indexer.report import IndexReport, PatchReport, RefusedFile
from indexer.roots import RuleChange
from search.settings import Settings
from vision.looks import WHOLE, WITH_PARTS

_LOOKS = {Looks.PARTS: WITH_PARTS, Looks.WHOLE: WHOLE, Looks.NONE: 0}

_LISTED = 20
"""Refused files shown by default; all of them with --verbose and in --json."""


def index(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders, files or archives; none to go through all that were given before."),
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: ModelName = None,
    backend: BackendName = None,
    precision: PrecisionName = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    retry_refused: RetryRefused = False,
    replace_model: ReplaceModel = False,
    exclude: Exclude = None,
    include: Include = None,
    follow_links: FollowLinks = None,
    archives: Archives = None,
    clear_rules: ClearRules = False,
    from_list: FromList = None,
    null: Nul = False,
    from_urls: FromUrls = None,
    rescan: Rescan = False,
    prune: Prune = False,
    patches: Patches = None,
    queue: Queued = False,
    profile: Profile = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Index folders of pictures; a second run touches only what changed.

    A new library keeps the encoder that --model names; later runs need no flag. What could not be read is listed, with
    its reason, and makes the exit code 3.
    """
    flags = {"home": home, "database_url": database_url, "model": model, "backend": backend, "precision": precision}
    settings = read_settings(**flags, threads=threads)
    listed, urls = paths_of(from_list, nul=null), urls_of(from_urls, settings)
    rules = RuleChange(tuple(exclude or ()), tuple(include or ()), follow_links, clear_rules, archives)
    looks = None if patches is None else _LOOKS[patches]
    options = replace(_of_settings(settings), batch_size=batch_size, looks=looks, rules=rules, prune=prune)
    options = replace(options, retry_refused=retry_refused, replace_model=replace_model, rescan=rescan)
    options = replace(options, listed=tuple(listed.roots), urls=urls)
    roots = [resolve_root(path) for path in paths or []]  # first: a misspelt path should cost no library, no model
    report: IndexReport | None = IndexReport()
    if roots or options.listed or urls or not (from_list or from_urls):  # an empty list does not stand for everything
        report = _run(settings, tuple(roots), options, queue=queue, json=json, quiet=quiet)
    return _told(report, listed.refused, json=json, verbose=verbose, profile=profile)


def _of_settings(settings: Settings) -> IndexOptions:
    return IndexOptions(
        decode_workers=settings.decoders,
        limits=decode_limits(settings),
        archives=settings.archive_limits,
        fetching=fetch_limits(settings),
    )


def _run(
    settings: Settings, roots: tuple[str, ...], options: IndexOptions, *, queue: bool, json: bool, quiet: bool
) -> IndexReport | None:
    with open_library(settings, create=True) as library:
        job = IndexJob(roots, options, encoder_wish(settings))
        report: IndexReport | None = run_job(library, job, queue=queue, json=json, quiet=quiet)
        return report


def _told(
    report: IndexReport | None, not_there: Sequence[RefusedFile], *, json: bool, verbose: bool, profile: bool
) -> int:
    if report is None:  # left to a worker, who does not hear of these any more
        _print_refused(IndexReport(refused=[*not_there]), verbose=verbose)
        return exit_codes.PARTIAL if not_there else exit_codes.OK
    report.refused = [*not_there, *report.refused]
    print_json(asdict(report)) if json else _print(report, verbose=verbose)
    if profile and not json:
        print_stages(report.stages, report.elapsed_s)
    return exit_codes.PARTIAL if report.refused or report.texts_refused or report.boxes.refused else exit_codes.OK


def _print(report: IndexReport, *, verbose: bool) -> None:
    console = out()
    speed = rate(report.embedded, report.elapsed_s)
    console.print(f"{report.embedded} pictures embedded in {report.elapsed_s:.1f} s{speed}")
    if report.batches:
        console.print(str(report.batches))
    rows = (
        (report.unchanged, "unchanged"),
        (report.reused, "moved, copied or returned: known by their content, not embedded again"),
        (report.texts_embedded, "captions and phrases embedded"),
        (report.boxes.embedded, "boxes embedded"),
        (report.rewritten, "of them rewritten by a program, same pixels: captions and boxes kept"),
        (report.missing, "gone since the last run: hidden, kept until --prune"),
        (report.excluded, "passed over now, indexed before: hidden, kept until --prune"),
        (report.unavailable, "out of reach (drive or folder not there): left as they are"),
        (report.pruned, "erased by --prune"),
        (len(report.not_pictures), "not pictures"),
        (len(report.cut_short), "pictures are cut short: shown and found as far as they go"),
        (len(report.refused), "refused"),
        (len(report.texts_refused), "captions and phrases on which the encoder fails: found by their words alone"),
        (len(report.boxes.refused), "boxes on which the encoder fails: found by their phrases alone"),
        (report.boxes.without_preview, "boxes of pictures without a preview: open their pages once, then index again"),
        *counted(report.passed_over),
    )
    for count, what in rows:
        if count:
            console.print(f"{count:>7} {what}")
    if report.patches is not None:
        console.print(_patches(report.patches))
    if report.previews_unwritten:
        console.print(f"{report.previews_unwritten:>7} previews could not be kept: {report.previews_problem}")
    if verbose:
        for line in listed(report.passed_over):
            console.print(line)
        for path in report.not_pictures:
            console.print(f"  not a picture: {printable(path)}")
        for path in report.cut_short:
            console.print(f"  cut short: {printable(path)}")
    _print_refused(report, verbose=verbose)


def _patches(report: PatchReport) -> str:
    kept = report.pictures - report.without_preview - len(report.refused)
    each = f", {report.bytes / kept / 1e3:.1f} kB each" if kept else ""
    told = f"patches of {kept} pictures kept, {report.made} of them new: {report.bytes / 1e6:.1f} MB{each}"
    if report.without_preview:
        told += f"; {report.without_preview} have no preview to look at: open them once, then index again"
    if report.refused:
        told += f"; the encoder fails on {len(report.refused)}"
    return told


def _print_refused(report: IndexReport, *, verbose: bool) -> None:
    console = err()
    for text in [*report.texts_refused, *report.boxes.refused][: None if verbose else _LISTED]:
        console.print(f"  {text.where}: {text.code}: {text.reason}")
    shown = report.refused if verbose else report.refused[:_LISTED]
    for file in shown:
        earlier = " (refused earlier, unchanged)" if file.earlier else ""
        console.print(f"  refused: {printable(file.path)}: {file.reason}{earlier}")
    if len(shown) < len(report.refused):
        codes = Counter(file.reason.partition(":")[0] for file in report.refused)
        summary = ", ".join(f"{code} {count}" for code, count in codes.most_common())
        console.print(f"  … and {len(report.refused) - len(shown)} more ({summary}); --verbose lists them all")
