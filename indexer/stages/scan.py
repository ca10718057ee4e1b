"""Scan: compare the roots with the library, note at once what needs no pixels, and put down what does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from indexer.inlets import Inlets
from indexer.options import IndexOptions
from indexer.refresh_beside import changed_beside
from indexer.remembered import FilesMemory, LibraryMemory
from indexer.report import IndexReport, OnProgress, Progress, RefusedFile, account
from indexer.roots import rules_here
from indexer.scan import PathError, Scan, ScanOptions, resolve_root, scan_files, scan_parts
from indexer.stages.jobs import Jobs
from indexer.stages.spool import IdSet, Spool
from indexer.writer import Writer
from search.db.images import FileFact, path_fault
from search.db.roots import is_url, mark_scanned, root_for, roots_for
from search.library import Library
from vision.archives.listing import holds_archive
from vision.archives.names import is_archive_name


class ScanStage:
    """Scans roots.

    Args:
        library: with the lock held.
        inlets: of the run.
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
        inlets: Inlets,
        model_id: int,
        writer: Writer,
        options: IndexOptions,
        report: IndexReport,
        on_progress: OnProgress,
    ) -> None:
        self._library = library
        self._inlets = inlets
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
        self.jobs.close()
        self.beside.__exit__(None, None, None)

    def scan(self, roots: Sequence[str]) -> None:
        """Scan folders and archives one by one, single files all together; fetched pictures have nothing to scan.

        Args:
            roots: folders, files, archives and URLs that are, or lie below, a root.

        Raises:
            Exception: what the progress listener raises.
        """
        with self._library.read() as session:
            rules = rules_here(session, self._library.home)
        options = ScanOptions(None, rules, self._options.retry_refused, self._options.rescan)
        files: list[str] = []
        for root in roots:
            if is_url(root):
                continue
            if os.path.isfile(root) and not (is_archive_name(root) or holds_archive(root)):
                files.append(root)
            else:
                self._scan_below(root, options)
        if files:
            self._scan_files(files, options)
        self._inlets.add_kept(self.jobs, roots)

    def _scan_below(self, root: str, options: ScanOptions) -> None:
        memory = LibraryMemory(self._library, root, self._model_id)
        try:
            resolve_root(root)
        except PathError:  # A remembered root whose drive is not there: everything below it stays as it is.
            self._report.unavailable += sum(file.state != "missing" for file in memory.below())
            return
        with self._library.read() as session:
            above = root_for(session, root)
            root_id, options = above.id, replace(options, root=above.path)
        self._settle(scan_parts(root, memory, options, self._inlets.archives), lambda _: root_id, [root_id])

    def _scan_files(self, files: Sequence[str], options: ScanOptions) -> None:
        with self._library.read() as session:
            root_ids = {path: root.id for path, root in roots_for(session, files).items()}
        memory = FilesMemory(self._library, files, self._model_id)
        self._settle(scan_files(files, memory, options), lambda path: root_ids[path], root_ids.values())

    def _settle(self, parts: Iterable[Scan], root_of: Callable[[str], int], root_ids: Iterable[int]) -> None:
        seen = 0
        for part in parts:
            self._settle_part(part, root_of)
            seen += len(part.work) + len(part.unchanged)
            self._on_progress(Progress("scan", seen, None))
        with self._library.write() as session:
            mark_scanned(session, root_ids)

    def _settle_part(self, part: Scan, root_of: Callable[[str], int]) -> None:
        account(self._report, part)
        self._writer.mark([file.file_id for file in part.returned], "indexed")
        self._writer.note_facts(part.noted)
        changed = changed_beside(part, self._inlets.beside, everything=self._options.rescan)
        for path, token in changed.items():
            self.beside.append(path, token)
        for file in part.gone:
            self._writer.gone.add(file.file_id)
        for file in part.gone + part.excluded + (part.unavailable if self._options.prune else []):
            self.gone.add(file.file_id)
        for fact in part.work:
            if self._has_place(fact):
                self.jobs.add(fact, root_of(fact.path))
        for fact, before in part.touched:
            self.jobs.add(fact, root_of(fact.path), before)

    def _has_place(self, fact: FileFact) -> bool:
        """Whether the database can hold this path; one that it cannot is told at every run, for it has no row."""
        fault = path_fault(fact.path)
        if fault is not None:
            self._report.refused.append(RefusedFile(fact.path, fault))
        return fault is None
