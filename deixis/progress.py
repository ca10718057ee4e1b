"""How far a bulk job has come, on the error stream of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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

from deixis.output import err
from indexer.report import OnProgress
from indexer.report import Progress as Step

_STAGES = {
    "captions": "captions",
    "drawing": "drawing",
    "scan": "scanning",
    "fetch": "fetching",
    "images": "pictures",
    "texts": "captions and phrases",
    "boxes": "boxes",
    "publish": "publishing",
    "patches": "patches",
    "reading": "reading",
    "files": "checking files",
    "rows": "rows",
    "vectors": "vectors",
    "previews": "previews",
}


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
