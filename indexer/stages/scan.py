"""Scan: compare the roots with the library, note at once what needs no pixels, and put down what does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import update

from indexer.options import IndexOptions
from indexer.refresh_beside import changed_beside
from indexer.report import IndexReport, OnProgress, Progress, RefusedFile, account
from indexer.roots import rules_here
from indexer.scan import PathError, Scan, ScanOptions, resolve_root, scan_parts
from indexer.stages.jobs import Jobs
from indexer.stages.spool import IdSet, Spool
from indexer.writer import Writer
from search.db.images import FileFact, KnownFile, files_at, files_below, holds_below, path_fault
from search.db.roots import root_for
from search.db.schema import Root
from search.library import Library

_PAGE = 2_000
"""Remembered files per statement."""


class LibraryMemory:
    """What a library remembers at or below a folder; fulfils `indexer.scan.Memory`."""

    def __init__(self, library: Library, start: str, model_id: int) -> None:
        self._library = library
        self._start = start
        self._model_id = model_id

    def at(self, paths: Sequence[str]) -> Mapping[str, KnownFile]:
        """Look up files, by path."""
        with self._library.read() as session:
            return files_at(session, paths, self._model_id)

    def below(self) -> Iterator[KnownFile]:
        """Yield every file, once."""
        yield from self.at([self._start]).values()
        after = ""
        while True:
            with self._library.read() as session:
                page = files_below(session, self._start, self._model_id, after=after, limit=_PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            after = page[-1].path

    def holds_below(self, folder: str) -> bool:
        """Whether files below this folder are remembered."""
        with self._library.read() as session:
            return holds_below(session, folder)


class ScanStage:
    """Scans roots one by one.

    Args:
        library: with the lock held.
        model_id: whose vectors count.
        writer: notes what has changed without a look at pixels.
        options: of the run.
        report: receives the counts.
        on_progress: told after each part.

    Attributes:
        jobs: files whose pixels or bytes must be looked at.
        beside: files with something else beside them than what was read, each with its token of today.
        gone: ids of files that leave the results once the new paths are in.
    """

    def __init__(
        self,
        library: Library,
        model_id: int,
        writer: Writer,
        options: IndexOptions,
        report: IndexReport,
        on_progress: OnProgress,
    ) -> None:
        self._library = library
        self._model_id = model_id
        self._writer = writer
        self._options = options
        self._report = report
        self._on_progress = on_progress
        self.jobs = Jobs(library.home)
        self.beside = Spool(library.home)
        self.gone = IdSet()

    def close(self) -> None:
        """Let go of what lies on disk."""
        self.jobs.spool.__exit__(None, None, None)
        self.beside.__exit__(None, None, None)

    def scan(self, root: str) -> None:
        """Scan a folder or file that is, or lies below, a root.

        Raises:
            Exception: what the progress listener raises.
        """
        with self._library.read() as session:
            above = root_for(session, root)
            root_id = above.id
            options = ScanOptions(
                above.path, rules_here(session, self._library.home), self._options.retry_refused, self._options.rescan
            )
        memory = LibraryMemory(self._library, root, self._model_id)
        try:
            resolve_root(root)
        except PathError:  # A remembered root whose drive is not there: everything below it stays as it is.
            self._report.unavailable += sum(file.state != "missing" for file in memory.below())
            return
        seen = 0
        for part in scan_parts(root, memory, options):
            self._settle(part, root_id)
            seen += len(part.work) + len(part.unchanged)
            self._on_progress(Progress("scan", seen, None))
        with self._library.write() as session:
            session.execute(update(Root).where(Root.id == root_id).values(last_scanned_at=datetime.now(UTC)))

    def _settle(self, part: Scan, root_id: int) -> None:
        account(self._report, part)
        self._writer.mark([file.file_id for file in part.returned], "indexed")
        self._writer.note_facts(part.noted)
        for path, token in changed_beside(part, part.known, everything=self._options.rescan).items():
            self.beside.append(path, token)
        for file in part.gone:
            self._writer.gone.add(file.file_id)
        for file in part.gone + part.excluded + (part.unavailable if self._options.prune else []):
            self.gone.add(file.file_id)
        for fact in part.work:
            if self._has_place(fact):
                self.jobs.add(fact, root_id)
        for fact, before in part.touched:
            self.jobs.add(fact, root_id, before)

    def _has_place(self, fact: FileFact) -> bool:
        """Whether the database can hold this path; one that it cannot is told at every run, for it has no row."""
        fault = path_fault(fact.path)
        if fault is not None:
            self._report.refused.append(RefusedFile(fact.path, fault))
        return fault is None
