"""Where the pictures of one run come from besides files: what its stages ask of archives, lists and kept copies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Sequence
from dataclasses import replace

from indexer.addresses import FetchError, parse_url
from indexer.archives import Archives, Listings
from indexer.beside import Beside
from indexer.options import IndexOptions
from indexer.remembered import LibraryMemory, MembersMemory
from indexer.report import IndexReport, OnProgress, Progress
from indexer.stages.jobs import Jobs
from indexer.url_list import fetch_urls
from search.db.archives import note_archives
from search.db.chunks import chunks
from search.db.images import FileFact, files_at, kept_of
from search.db.roots import is_url, roots_for
from search.kept import erase_others, kept_folder
from search.library import Library
from vision.archives.reading import MemberReader
from vision.originals import Original

_FETCHED = 500
"""Pictures that are fetched and indexed at a time: whoever stops a long list loses no more than these."""


class Inlets:
    """The inlets of one run.

    Args:
        library: open, with the lane of pictures, or all of it, held by the caller.
        options: of the run.
        model_id: whose vectors count.

    Attributes:
        archives: of this run.
        beside: finds what speaks of pictures, in archives, too.
    """

    def __init__(self, library: Library, options: IndexOptions, model_id: int) -> None:
        self._library = library
        self._options = options
        self._model_id = model_id
        self._reader = MemberReader(options.archives)
        listings = Listings(options.archives)
        self.archives = Archives(listings, MembersMemory(library, model_id))
        self.beside = Beside(listings)

    def original(self, fact: FileFact) -> Original:
        """Where the bytes of a picture are."""
        return Original.of(fact.path, fact.held, kept_folder(self._library.home))

    def sha256(self, fact: FileFact) -> str | None:
        """Of those bytes, hex; None where they cannot be read."""
        return self.original(fact).sha256(self._reader)

    def settle(self) -> None:
        """Remember the archives that were read, once their pictures are in, and drop copies of no picture."""
        copies = os.path.isdir(kept_folder(self._library.home))
        if not (self.archives.read or copies):
            return
        with self._library.write() as session:  # for writing: whose job was given to another erases nothing of its
            note_archives(session, self.archives.read)
            if copies:  # also what a run has fetched that was killed
                erase_others(self._library.home, kept_of(session))
        self.archives.read.clear()

    def add_kept(self, jobs: Jobs, roots: Sequence[str]) -> None:
        """Add the fetched pictures that have no vector of this model yet, from their copies: no server is asked."""
        with self._library.read() as session:
            root_ids = {path: root.id for path, root in roots_for(session, [*filter(is_url, roots)]).items()}
        for path, root_id in root_ids.items():
            for file in LibraryMemory(self._library, path, self._model_id).below():
                if file.state == "indexed" and not file.embedded:
                    facts = (file.path, file.size_bytes, file.mtime_ns, file.device, file.ctime_ns, file.held)
                    jobs.add(FileFact(*facts), root_id)

    def fetch(self, report: IndexReport, on_progress: OnProgress) -> Generator[Jobs]:
        """Fetch the pictures of the list, some at a time; what they yield is to be indexed before the next are."""
        done, total = 0, len(self._options.urls)

        def tell(step: Progress) -> None:
            on_progress(replace(step, done=done + step.done, total=total))

        for urls in chunks(self._options.urls, _FETCHED):
            jobs = Jobs(self._library.home)
            try:
                self._fetch(urls, jobs, report, tell)
                yield jobs
            finally:
                jobs.close()
            done += len(urls)

    def _fetch(self, urls: Sequence[str], jobs: Jobs, report: IndexReport, on_progress: OnProgress) -> None:
        options = self._options
        with self._library.read() as session:
            known = files_at(session, _stored_forms(urls), self._model_id)
        done = fetch_urls(
            self._library.home,
            urls,
            known,
            options.fetching,
            on_progress,
            again=options.rescan,
            retry_refused=options.retry_refused,
        )
        report.unchanged += done.unchanged
        report.refused += done.refused
        with self._library.write() as session:
            roots = roots_for(session, sorted({origin for _, origin in done.facts}))
            root_ids = {origin: root.id for origin, root in roots.items()}
        for fact, origin in done.facts:
            jobs.add(fact, root_ids[origin])


def _stored_forms(urls: Sequence[str]) -> list[str]:
    found = []
    for url in urls:
        with contextlib.suppress(FetchError):  # told when it is to be fetched
            found.append(parse_url(url).url)
    return found
