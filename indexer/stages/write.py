"""Write: commit batches, copies and refusals, in one thread, while others decode and embed what comes next."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from indexer.isolate import in_parts
from indexer.stages.decode import Known
from indexer.stages.jobs import Job
from indexer.stages.publish import PublishStage
from indexer.writer import DecodedFile, EmbeddedFile, Writer


@dataclass(frozen=True, slots=True)
class NotIndexed:
    """A file that is not in the index, and why.

    Attributes:
        noted: whether the library has been told.
    """

    job: Job
    code: str
    reason: str
    noted: bool = False

    @property
    def told(self) -> str:
        """`code: sentence`, as it is stored and reported."""
        return f"{self.code}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Notes:
    """What needs no vector: copies of known pictures, and files that could not be read."""

    copies: Sequence[Known] = ()
    refusals: Sequence[NotIndexed] = ()


@dataclass(slots=True)
class Written:
    """What has been committed, for the report.

    Attributes:
        fresh: new vectors.
        files: files of the batch.
        again: of them decoded again, for what an older version did not read.
        copies: files whose content was known.
        refused: what went wrong on the way here.
    """

    fresh: int = 0
    files: int = 0
    again: int = 0
    copies: list[Known] = field(default_factory=list)
    refused: list[NotIndexed] = field(default_factory=list)


class WriteStage:
    """Commits what it is given.

    Args:
        writer: of the run.
        publisher: asked after each batch whether to publish.

    Attributes:
        done: what has been committed and nobody has counted yet; appended here, taken from the left elsewhere.
    """

    def __init__(self, writer: Writer, publisher: PublishStage) -> None:
        self._writer = writer
        self._publisher = publisher
        self.done: deque[Written] = deque()

    def run(self, item: Sequence[EmbeddedFile] | Notes) -> None:
        """Commit a batch, or notes.

        Raises:
            Exception: whatever blames the system and not an item.
        """
        if isinstance(item, Notes):
            self._note(item)
            return
        in_parts(item, self._write, lambda one, code, reason: self.refuse(one.file, code, reason))

    def refuse(self, file: DecodedFile, code: str, reason: str) -> None:
        """Count a file that could be decoded and not be taken in; it is noted with the next refusals."""
        self.done.append(Written(refused=[NotIndexed(Job(file.fact, file.root_id), code, reason)]))

    def _write(self, batch: Sequence[EmbeddedFile]) -> None:
        fresh = self._writer.write_pictures(batch)
        self.done.append(Written(fresh, len(batch), sum(item.file.again for item in batch)))
        if self._publisher.added(fresh):
            self._publisher.run()

    def _note(self, notes: Notes) -> None:
        copied: list[Known] = []

        def copy(some: Sequence[Known]) -> None:
            self._writer.write_copies([(one.job.fact, one.job.root_id, one.image_id) for one in some])
            copied.extend(some)

        def refuse(some: Sequence[NotIndexed]) -> None:
            self._writer.write_refusals([(one.job.fact, one.job.root_id, one.told) for one in some])

        refused: list[NotIndexed] = []
        in_parts(notes.copies, copy, lambda one, code, reason: refused.append(NotIndexed(one.job, code, reason)))
        # What cannot even be noted as refused stands in the report, and is tried again at the next run.
        in_parts(notes.refusals, refuse, lambda one, code, reason: None)
        self.done.append(Written(copies=copied, refused=refused))
