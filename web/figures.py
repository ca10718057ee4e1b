"""What a process has counted, and how the figures of several processes become one."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from vision.whole_files import write_whole
from web.admission.gate import Gate
from web.admission.lanes import BUCKETS_S, Latencies

_FILE: Final = "figures-{}.json"

Figures = dict[str, Any]
"""What `figures_of` gives; of JSON's kinds alone."""


def figures_of(gate: Gate, *, model_loaded: bool) -> Figures:
    """What this process has counted so far."""
    lanes = {
        cost.value: {
            "running": lane.running,
            "waiting": lane.waiting,
            "refused": dict(lane.refused),
            "latencies": _plain(lane.latencies),
        }
        for cost, lane in gate.lanes.items()
    }
    return {
        "lanes": lanes,
        "free": _plain(gate.free),
        "answered": {f"{cost} {status}": count for (cost, status), count in gate.answered.items()},
        "body_bytes": gate.budget.held_bytes,
        "models": int(model_loaded),
        "workers": 1,
    }


def added(several: Sequence[Figures]) -> Figures:
    """The figures of several processes together."""
    total: Figures = {}
    for one in several:
        total = _sum(total, one)
    return total


class Shared:
    """A folder in which the processes of one server leave their figures for each other.

    Args:
        folder: of this server alone; None where there is one process.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def is_needed(self) -> bool:
        """Whether there are several processes."""
        return self._folder is not None

    def leave(self, figures: Figures) -> None:
        """Write down what this process has counted; a full disk costs figures and nothing else."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                write_whole(self._folder / _FILE.format(os.getpid()), json.dumps(figures).encode())

    def others(self) -> list[Figures]:
        """What the other processes have left last."""
        if self._folder is None:
            return []
        found: list[Figures] = []
        for path in sorted(self._folder.glob(_FILE.format("*"))):
            if path.name != _FILE.format(os.getpid()):
                with contextlib.suppress(OSError, ValueError):
                    found.append(json.loads(path.read_bytes()))
        return found


def _plain(latencies: Latencies) -> Figures:
    assert len(latencies.counts) == len(BUCKETS_S) + 1
    return {"counts": latencies.counts, "sum_s": latencies.sum_s}


def _sum(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    if isinstance(other, dict):
        return {name: _sum(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(other, list):
        return [sum(pair) for pair in zip(one, other, strict=True)]
    return one + other
