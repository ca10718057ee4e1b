"""`deixis jobs`: what bulk jobs run, wait or have ended, and how to steer them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from deixis import exit_codes
from deixis.context import open_library, read_settings
from deixis.options import DatabaseUrl, Home, Json
from deixis.output import duration, out, print_json, printable
from search.jobs.rows import JobDetails, JobInfo, ask, list_jobs, show_job

_Number = Annotated[int, typer.Argument(help="As `deixis jobs list` shows it.", metavar="JOB")]


def list_(
    home: Home = None,
    database_url: DatabaseUrl = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 20,
    json: Json = False,
) -> int:
    """Show what runs and waits, and what has ended last."""
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        jobs = list_jobs(library, limit=limit)
    if json:
        print_json({"jobs": [asdict(job) for job in jobs]})
        return exit_codes.OK
    if not jobs:
        out().print("There was no job yet.")
    for job in jobs:
        out().print(f"{job.id:>5}  {job.kind:<8} {_state(job):<10} {_how_far(job)}".rstrip())
    return exit_codes.OK


def show(job: _Number, home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Show one job: arguments, progress, report, and what happened."""
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        details = show_job(library, job)
    if json:
        print_json(asdict(details))
    else:
        _print(details)
    return exit_codes.OK


def pause(job: _Number, home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Let a job stop at its next step and wait; what is finished is kept, and found."""
    return _ask(job, "pause", home, database_url, json)


def resume(job: _Number, home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Let a paused job go on, in the next worker that is free."""
    return _ask(job, "resume", home, database_url, json)


def cancel(job: _Number, home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """End a job at its next step; what is finished is kept, and found."""
    return _ask(job, "cancel", home, database_url, json)


def retry(job: _Number, home: Home = None, database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Queue a job again that has ended: what it has done already is not done twice."""
    return _ask(job, "retry", home, database_url, json)


def _ask(job: int, wish: str, home: Home, database_url: DatabaseUrl, json: bool) -> int:
    with open_library(read_settings(home=home, database_url=database_url)) as library:
        state = ask(library, job, wish)
    if json:
        print_json({"job": job, "state": state, "asked": wish if state == "running" else None})
    elif state == "running":
        out().print(f"job {job} was asked to {wish}; it does so at its next step")
    else:
        out().print(f"job {job} is {state}")
    return exit_codes.OK


def _state(job: JobInfo) -> str:
    state = "lost" if job.lost else job.state
    return state if job.asked is None else f"{state}, to {job.asked}"


def _how_far(job: JobInfo) -> str:
    """What stands behind a job in the list."""
    if job.state in ("running", "paused") and job.progress is not None:
        return _progress(job.progress)
    if job.error is not None:
        return printable(job.error.splitlines()[0])
    if job.ended_at is not None and job.started_at is not None:
        return f"{_when(job.ended_at)}, after {duration((job.ended_at - job.started_at).total_seconds())}"
    return _when(job.created_at)


def _progress(progress: dict[str, Any]) -> str:
    total = "" if progress["total"] is None else f" of {progress['total']}"
    rate = "" if progress["per_s"] is None else f", {progress['per_s']:.1f}/s"
    left = "" if progress["left_s"] is None else f", {duration(progress['left_s'])} left"
    return f"{progress['stage']} {progress['done']}{total}{rate}{left}"


def _when(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def _print(details: JobDetails) -> None:
    console, job = out(), details.info
    console.print(f"job {job.id}: {job.kind}, {_state(job)}, attempt {job.attempts}")
    if job.progress is not None and job.state in ("running", "paused"):
        console.print(f"  {_progress(job.progress)}")
    if job.error is not None:
        console.print(f"  {printable(job.error)}")
    console.print("asked for:")
    _print_values(details.arguments)
    if details.report is not None:
        console.print("report:")
        _print_values(details.report)
    console.print("what happened:")
    for at, what in details.events:
        console.print(f"  {at.astimezone():%Y-%m-%d %H:%M:%S}  {printable(what)}")


def _print_values(values: dict[str, Any], prefix: str = "") -> None:
    """What was set, a line each; of lists how many, for `--json` has them whole."""
    for name, value in values.items():
        if isinstance(value, dict):
            _print_values(value, f"{prefix}{name}.")
        elif isinstance(value, list) and len(value) > 3:
            out().print(f"  {prefix}{name}: {len(value)}")
        elif value not in (None, [], 0, "", False):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            out().print(f"  {prefix}{name}: {printable(shown)}")
