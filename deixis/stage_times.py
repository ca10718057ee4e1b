"""`--profile`: where the seconds of a bulk job went, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from deixis.lazy import ADVANCED
from deixis.output import out
from indexer.stages.timing import StageTime

Profile = Annotated[
    bool,
    typer.Option("--profile", help="Say at the end where the time went, stage by stage.", rich_help_panel=ADVANCED),
]

_HEAD = ("stage", "worked", "of the run", "waited for work", "waited for room")


def print_stages(stages: Mapping[str, StageTime], elapsed_s: float) -> None:
    """Print a line a stage: seconds at work, their share of the run, and seconds of waiting.

    Args:
        stages: by name; stages overlap, and `decode` adds up its children, so shares need not add up to 100 %.
        elapsed_s: of the whole run.
    """
    rows = [_HEAD]
    for name, time in stages.items():
        share = f"{100 * time.worked_s / elapsed_s:.0f} %" if elapsed_s else ""
        seconds = (f"{one:.2f} s" for one in (time.worked_s, time.starved_s, time.blocked_s))
        worked, starved, blocked = seconds
        rows.append((name, worked, share, starved, blocked))
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        out().print("  ".join(cells).rstrip())
