"""How commands speak: tables and sentences for people, JSON for programs, progress on the error stream."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from indexer.report import OnProgress
from indexer.report import Progress as Step

_STAGES = {
    "captions": "captions",
    "drawing": "drawing",
    "scan": "scanning",
    "images": "pictures",
    "texts": "captions and phrases",
    "publish": "publishing",
}


def out() -> Console:
    """The console for results."""
    return Console(highlight=False, markup=False, soft_wrap=True)


def err() -> Console:
    """The console for progress and complaints."""
    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, whole or not at all; what the output cannot encode is escaped."""
    document = json.dumps(value, ensure_ascii=False, indent=2)
    try:
        document.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # Not left to the stream's own escapes: they are Python's, and some of them are none of JSON's.
        document = json.dumps(value, ensure_ascii=True, indent=2)
    sys.stdout.write(document + "\n")


def printable(path: str) -> str:
    """A path as valid text: undecodable bytes become U+FFFD, control characters are shown, not obeyed."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class _Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        """Show the speed of a task, or a dash before it is known."""
        speed = task.finished_speed or task.speed
        return Text("–" if speed is None else f"{speed:.1f}/s")


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[OnProgress]:
    """A bar with count, rate and time left; silent when asked or when the error stream is no terminal."""
    console = err()
    if quiet or not console.is_terminal:
        yield lambda step: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(step: Step) -> None:
            if step.stage not in tasks:
                tasks[step.stage] = bar.add_task(_STAGES.get(step.stage, step.stage), total=step.total)
            bar.update(tasks[step.stage], completed=step.done, total=step.total)

        yield show
