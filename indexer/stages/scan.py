"""Scan: compare the roots with the library, note at once what needs no pixels, and put down what does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlalchemy import select

from indexer.changed import sort_changes
from indexer.inlets import Inlets
from indexer.mounts import Mounts
from indexer.options import IndexOptions
from indexer.places import PathError, resolve_root
from indexer.refresh_beside import changed_beside
from indexer.remembered import FilesMemory, LibraryMemory
from indexer.report import IndexReport, OnProgress, Progress, RefusedFile, account
from indexer.roots import rules_here
from indexer.scan import Scan, ScanOptions, examined_part, scan_files, scan_parts, vanished_part
from indexer.stages.jobs import Jobs
from indexer.stages.spool import IdSet, Spool
from indexer.writer import Writer
from search.db.images import FileFact, path_fault
from search.db.roots import is_below, is_url, mark_scanned, outermost, root_for, roots_for
from search.db.schema import Root
from search.library import Library
from vision.archives.listing import holds_archive
from vision.archives.names import is_archive_name
from vision.originals import archive_above

_PART = 500
"""Changed files that are compared at a time."""


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
        found: whether anything is not as it was.
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
        self.found = False

    def close(self) -> None:
        """Let go of what lies on disk."""
        self.jobs.close()
        self.beside.__exit__(None, None, None)

    def scan(self, roots: Sequence[str]) -> None:
        """Scan folders, files and archives that are, or lie below, roots.

        Raises:
            Exception: what the progress listener raises.
        """
        self._scan_each(roots, self._options_here())
        self._inlets.add_kept(self.jobs, roots)

    def scan_changed(self, paths: Sequence[str]) -> None:
        """Scan the places at which something has changed, as far as the library has to do with them.

        Raises:
            Exception: what the progress listener raises.
        """
        options = self._options_here()
        with self._library.read() as session:
            roots = {root.path: root.id for root in session.scalars(select(Root)) if not is_url(root.path)}
        mounts = Mounts()
        changes = sort_changes(paths, roots, options.rules, mounts)
        memory = LibraryMemory(self._library, "/", self._model_id)
        for root, entries in changes.files.items():
            for first in range(0, len(entries), _PART):
                some = entries[first : first + _PART]
                self._settle_part(examined_part(some, memory, replace(options, root=root), mounts), roots[root])
                self._on_progress(Progress("scan", first + len(some), len(entries)))
        # Before the walks: to one that begins in a folder, an empty folder is no proof.
        for root, gone in changes.gone.items():
            self._settle_gone(outermost(sorted(gone)), root, roots[root])
        self._scan_each(sorted(changes.walks), options)

    def _options_here(self) -> ScanOptions:
        with self._library.read() as session:
            rules = rules_here(session, self._library.home)
        return ScanOptions(None, rules, self._options.retry_refused, self._options.rescan)

    def _scan_each(self, places: Sequence[str], options: ScanOptions) -> None:
        files: list[str] = []
        for place in places:
            if is_url(place):
                continue
            if os.path.isfile(place) and not (is_archive_name(place) or holds_archive(place)):
                files.append(place)
            else:
                self._scan_below(place, options)
        if files:
            self._scan_files(files, options)

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
        whole = above.path == root or not self._options.changed
        parts = scan_parts(root, memory, options, self._inlets.archives)
        self._settle((self._settled(part, root) for part in parts), lambda _: root_id, [root_id] if whole else [])

    def _scan_files(self, files: Sequence[str], options: ScanOptions) -> None:
        with self._library.read() as session:
            root_ids = {path: root.id for path, root in roots_for(session, files).items()}
        memory = FilesMemory(self._library, files, self._model_id)
        self._settle(scan_files(files, memory, options), lambda path: root_ids[path], root_ids.values())

    def _settle_gone(self, paths: Sequence[str], root: str, root_id: int) -> None:
        for first in range(0, len(paths), _PART):
            some = paths[first : first + _PART]
            files = dict(LibraryMemory(self._library, root, self._model_id).at(some))
            self._settle_part(vanished_part(list(files.values()), root), root_id)
            for path in some:  # Of a folder or an archive nothing is known itself.
                below = LibraryMemory(self._library, path, self._model_id)
                if path not in files and below.holds_below(path):
                    self._settle_part(vanished_part(list(below.below()), root), root_id)
            self._on_progress(Progress("scan", first + len(some), len(paths)))

    def _settled(self, part: Scan, start: str) -> Scan:
        """A part without what may still be being written, but for what was named itself: that was waited for."""
        if self._options.settle_s:
            since = (time.time() - self._options.settle_s) * 1e9
            young = [fact for fact in part.work if fact.ctime_ns is not None and fact.ctime_ns > since]
            left = {fact.path: archive_above(fact.path) or fact.path for fact in young}
            left = {path: place for path, place in left.items() if not is_below(start, place)}
            part.work = [fact for fact in part.work if fact.path not in left]
            self._report.unsettled += sorted(set(left.values()))
        return part

    def _settle(self, parts: Iterable[Scan], root_of: Callable[[str], int], root_ids: Iterable[int]) -> None:
        seen = 0
        for part in parts:
            self._settle_part(part, root_of)
            seen += len(part.work) + len(part.unchanged)
            self._on_progress(Progress("scan", seen, None))
        with self._library.write() as session:
            mark_scanned(session, root_ids)

    def _settle_part(self, part: Scan, root: int | Callable[[str], int]) -> None:
        root_of = root if callable(root) else lambda _: root
        part.gone = [file for file in part.gone if file.file_id not in self.gone]
        part.unavailable = [file for file in part.unavailable if file.file_id not in self.gone]
        account(self._report, part)
        self._writer.mark([file.file_id for file in part.returned], "indexed")
        self._writer.note_facts(part.noted)
        beside = changed_beside(part, self._inlets.beside, everything=self._options.rescan)
        for path, token in beside.items():
            self.beside.append(path, token)
        for file in part.gone:
            self._writer.gone.add(file.file_id)
        leaving = part.gone + part.excluded + (part.unavailable if self._options.prune else [])
        for file in leaving:
            self.gone.add(file.file_id)
        for fact in part.work:
            if self._has_place(fact):
                self.jobs.add(fact, root_of(fact.path))
        for fact, before in part.touched:
            self.jobs.add(fact, root_of(fact.path), before)
        self.found |= any((part.work, part.touched, part.returned, part.noted, leaving, beside))

    def _has_place(self, fact: FileFact) -> bool:
        """Whether the database can hold this path; one that it cannot is told at every run, for it has no row."""
        fault = path_fault(fact.path)
        if fault is not None:
            self._report.refused.append(RefusedFile(fact.path, fault))
        return fault is None
