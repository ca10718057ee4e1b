"""One file that a scan found to be work, on its way through the stages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.stages.spool import Spool
from search.db.images import FileFact, KnownFile


@dataclass(frozen=True, slots=True)
class Before:
    """What a file held whose size and date are as they were: its bytes decide whether there is anything to do."""

    image_id: int | None
    state: str


@dataclass(frozen=True, slots=True)
class Job:
    """A file to look at.

    Attributes:
        before: None where size or date is another, or the file is new.
    """

    fact: FileFact
    root_id: int
    before: Before | None = None


class Jobs:
    """The jobs of a run, on disk where they are many.

    Args:
        folder: of the file that holds them.
    """

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder)

    def __len__(self) -> int:
        return len(self.spool)

    def add(self, fact: FileFact, root_id: int, known: KnownFile | None = None) -> None:
        """Add a job; raises OSError where the disk is full."""
        before = (None, None) if known is None else (known.image_id, known.state)
        facts = (fact.path, fact.size_bytes, fact.mtime_ns, fact.device, fact.ctime_ns, fact.held)
        self.spool.append(*facts, root_id, *before)

    def __iter__(self) -> Any:
        for *facts, root_id, image_id, state in self.spool:
            before = None if state is None else Before(image_id, state)
            yield Job(FileFact(*facts), root_id, before)

    def close(self) -> None:
        """Let go of what lies on disk."""
        self.spool.__exit__(None, None, None)
