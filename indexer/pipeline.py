"""`index`: scan → decode → embed → write → publish, resumable at every batch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from indexer.claiming import claim_model
from indexer.digest import file_sha256
from indexer.embed_regions import embed_regions
from indexer.embed_texts import embed_texts
from indexer.hands import Hands, take_in_hand
from indexer.isolate import in_parts
from indexer.kept import go_on, noting
from indexer.options import IndexOptions
from indexer.patches import keep_patches, require_patches
from indexer.prune import prune_missing
from indexer.refresh_beside import changed_beside, refresh_beside
from indexer.report import IndexReport, OnProgress, Progress, RefusedFile, account, silent
from indexer.roots import claim_roots, require_outside, rules_here
from indexer.scan import PathError, ScanOptions, resolve_root, scan_root
from indexer.writer import DecodedFile, Writer
from search.db.facts import lacks_facts
from search.db.images import FileFact, KnownFile, image_sizes, image_with_vector, known_files, path_fault
from search.db.roots import is_below, root_for, root_paths
from search.db.schema import Image, Root
from search.erasing import erase_vectors
from search.jobs.quarantine import Item
from search.library import Library
from search.previews import GALLERY_PX
from search.publishing import publish
from search.vectors.generations import active_generation
from vision.batching import batch_report, pictures_at_once
from vision.encoders.base import Encoder
from vision.images import DecodeRequest, DecoderPool, Refused

__all__ = ["IndexOptions", "index_paths"]

WORK = "pictures"
"""What `index` does with pictures, and the lane in which it does it."""

_FIRST_PUBLISH = 256
"""Pictures until the first publication: a new library answers within seconds."""

_PUBLISH_GROWTH = 0.5
"""Publish again when this share of what is published has come in addition: the total work stays linear."""

_AT_LEAST = 32
"""Pictures per transaction, where the encoder takes fewer at once: a transaction costs a sync of the disk."""

_NOTES = 256
"""Copies or refusals per transaction."""


@dataclass(frozen=True, slots=True)
class _Job:
    fact: FileFact
    root_id: int
    before: KnownFile | None = None
    """Set where size and date are as they were, so that the bytes decide whether there is anything to do."""


def index_paths(
    library: Library,
    encoder: Encoder,
    paths: Sequence[str | Path],
    options: IndexOptions | None = None,
    on_progress: OnProgress = silent,
    hands: Hands | None = None,
) -> IndexReport:
    """Bring the library up to date with the given paths, or with all its roots when none is given.

    Args:
        hands: of the job that this is part of.

    Raises:
        PathError: a given path does not exist, or none was given and the library has no root.
        LibraryBusyError: another bulk job runs on this library.
        ModelMismatchError: the encoder is not the library's, and `replace_model` is off.
        NoHeatMapError: patches are asked for, and the encoder has none in the space of its texts.
    """
    started = time.monotonic()
    options = options or IndexOptions()
    roots = [resolve_root(path) for path in paths]
    if options.looks:
        require_patches(encoder)
    with library.exclusive() if options.alone else library.working(WORK):
        run = _Run(library, encoder, options, on_progress, hands)
        with noting(lambda: go_on(run.report.embedded + run.report.reused, "pictures")):
            run.index(roots)
    run.report.elapsed_s = time.monotonic() - started
    return run.report


class _Run:
    """One execution of `index`, under the library's exclusive lock."""

    def __init__(
        self,
        library: Library,
        encoder: Encoder,
        options: IndexOptions,
        on_progress: OnProgress,
        hands: Hands | None,
    ) -> None:
        self.report = IndexReport()
        self._hands = hands
        self._library = library
        self._encoder = encoder
        self._options = options
        self._on_progress = on_progress
        self._model, self._replacing = claim_model(library, encoder.facts, replace=options.replace_model)
        self._writer = Writer(library, self._model, encoder)
        self._batch_size = options.batch_size or pictures_at_once(encoder, otherwise=_AT_LEAST)
        self._published = 0
        self._since_publish = 0
        self._copied = 0
        self._sizes: set[int] = set()
        self._looked_again: set[str] = set()
        self._beside: dict[str, str | None] = {}
        self._copies: list[tuple[FileFact, int, int]] = []
        self._refusals: list[tuple[FileFact, int, str]] = []

    def index(self, given: Sequence[str]) -> None:
        require_outside(self._library.home, given)
        with self._library.write() as session:
            claim_roots(session, given, self._options.rules)
            remembered = root_paths(session)
        # A new model must reach every picture, or those it did not reach would vanish with the old one.
        roots = sorted({*given, *(remembered if self._replacing or not given else [])})
        if not roots:
            raise PathError("nothing to index", remedy="Name a folder: deixis index ~/Pictures")
        roots = [root for root in roots if not any(other != root and is_below(root, other) for other in roots)]
        self._publish()  # What an interrupted run has committed is searchable from here on.
        if self._options.retry_refused and self._hands is not None:
            self._hands.forgive(WORK)
        jobs: list[_Job] = []
        gone: list[int] = []
        for root in roots:
            root_jobs, root_gone = self._scan(root)
            jobs += root_jobs
            gone += root_gone
        try:
            self._embed_pictures(jobs)
        except KeyboardInterrupt:
            self._write_notes(at_least=1)
            self._publish()
            raise
        refresh_beside(self._library, self._beside)
        # After the new paths are in: a moved picture keeps its image because a file holds it at all times.
        self._writer.mark(gone, "missing")
        if self._options.prune:
            self.report.pruned = prune_missing(self._library)
        self.report.rewritten = self._writer.rewritten
        self.report.texts_embedded = embed_texts(
            self._library, self._model, self._writer, self._on_progress, self.report.texts_refused
        )
        self._publish()
        self.report.previews_unwritten, self.report.previews_problem = self._writer.unwritten, self._writer.problem
        if self._options.prune:
            erase_vectors(self._library)
        if self._replacing:
            with self._library.write() as session:
                self._library.activate_model(session, self._library.register_model(session, self._encoder.facts))
        # Last, for what is found without them can be looked for already.
        self.report.boxes = embed_regions(self._library, self._model, self._writer, self._on_progress)
        self.report.patches = keep_patches(self._library, self._encoder, self._options.looks, self._on_progress)

    def _scan(self, root: str) -> tuple[list[_Job], list[int]]:
        with self._library.read() as session:
            above = root_for(session, root)
            root_id = above.id
            options = ScanOptions(
                above.path, rules_here(session, self._library.home), self._options.retry_refused, self._options.rescan
            )
            known = known_files(session, root, self._model.id)
        try:
            resolve_root(root)
        except PathError:  # A remembered root whose drive is not there: everything below it stays as it is.
            self.report.unavailable += sum(file.state != "missing" for file in known.values())
            return [], []
        scan = scan_root(root, known, options)
        account(self.report, scan)
        self._writer.mark([file.file_id for file in scan.returned], "indexed")
        self._writer.note_facts(scan.noted)
        self._beside |= changed_beside(scan, known, everything=self._options.rescan)
        self._writer.gone |= {file.file_id for file in scan.gone}
        gone = scan.gone + scan.excluded + (scan.unavailable if self._options.prune else [])
        with self._library.write() as session:
            session.execute(update(Root).where(Root.id == root_id).values(last_scanned_at=datetime.now(UTC)))
        self._on_progress(Progress("scan", len(scan.work) + len(scan.unchanged), None))
        jobs = [_Job(fact, root_id) for fact in scan.work if self._has_place(fact)]
        jobs += [_Job(fact, root_id, before) for fact, before in scan.touched]
        return jobs, [file.file_id for file in gone]

    def _has_place(self, fact: FileFact) -> bool:
        """Whether the database can hold this path; one that it cannot is told at every run, for it has no row."""
        fault = path_fault(fact.path)
        if fault is not None:
            self.report.refused.append(RefusedFile(fact.path, fault))
        return fault is None

    def _embed_pictures(self, jobs: Sequence[_Job]) -> None:
        decoded = 0
        total = len(jobs)
        self._on_progress(Progress("images", 0, total))
        batch: list[DecodedFile] = []
        with DecoderPool(self._options.limits, self._options.decode_workers) as pool:
            by_path = {job.fact.path: job for job in jobs}
            for outcome in pool.map(self._requests(jobs)):
                job = by_path[outcome.path]
                if isinstance(outcome, Refused):
                    self._refuse(job, outcome.code, outcome.reason)
                    self._write_notes(at_least=_NOTES)
                else:
                    batch.append(DecodedFile(job.fact, job.root_id, outcome))
                    if (outcome.remark or "").startswith("truncated:"):
                        self.report.cut_short.append(outcome.path)
                if len(batch) >= self._batch_size:
                    self._commit(batch)
                    batch = []
                decoded += 1
                self._on_progress(Progress("images", decoded + self._copied, total))
            self._commit(batch)
        self.report.batches = batch_report(self._encoder)
        self._write_notes(at_least=1)
        self._on_progress(Progress("images", total, total))

    def _requests(self, jobs: Sequence[_Job]) -> Iterator[DecodeRequest]:
        """Turn jobs into decode requests, but for copies of known pictures, which need no decoding."""
        with self._library.read() as session:
            self._sizes = image_sizes(session)
        for job in jobs:
            if self._needs_nothing(job):
                continue
            yield DecodeRequest(
                path=job.fact.path, preprocessing=self._encoder.facts.preprocessing, preview_px=GALLERY_PX
            )

    def _needs_nothing(self, job: _Job) -> bool:
        """Whether the bytes are known, so that only the file is to be noted."""
        before = job.before
        if before is None and job.fact.size_bytes not in self._sizes:
            return False
        sha256 = file_sha256(job.fact.path)
        with self._library.read() as session:
            known = None if sha256 is None else image_with_vector(session, sha256, self._model.id)
            image = None if known is None else session.get_one(Image, known)
        if image is None:
            return False
        unaltered = before is not None and before.image_id == image.id
        if unaltered and self._options.rescan and lacks_facts(image):
            self._looked_again.add(job.fact.path)  # The decoder tells what an older library does not know.
            return False
        self._copies.append((job.fact, job.root_id, image.id))
        self._copied += 1
        if before is not None and unaltered and before.state == "indexed":
            self.report.unchanged += 1
        else:
            self.report.reused += 1
        self._write_notes(at_least=_NOTES)
        return True

    def _refuse(self, job: _Job, code: str, reason: str) -> None:
        noted = f"{code}: {reason}"
        self.report.refused.append(RefusedFile(job.fact.path, noted))
        self._refusals.append((job.fact, job.root_id, noted))

    def _write_notes(self, at_least: int) -> None:
        """Write what needs no vector, many at a time: a transaction per moved file would take hours for a library."""
        if len(self._copies) >= at_least:
            in_parts(self._copies, self._writer.write_copies, self._refuse_copy)
            self._copies = []
        if len(self._refusals) >= at_least:
            # What cannot even be noted as refused stands in the report, and is tried again at the next run.
            in_parts(self._refusals, self._writer.write_refusals, lambda note, code, reason: None)
            self._refusals = []

    def _refuse_copy(self, copy: tuple[FileFact, int, int], code: str, reason: str) -> None:
        self.report.reused -= 1
        self._refuse(_Job(copy[0], copy[1]), code, reason)

    def _commit(self, batch: Sequence[DecodedFile]) -> None:
        take_in_hand(self._hands, WORK, batch, _item, self._commit_some, self._leave_out)
        if self._since_publish >= max(_FIRST_PUBLISH, self._published * _PUBLISH_GROWTH):
            self._publish()

    def _commit_some(self, batch: Sequence[DecodedFile]) -> None:
        in_parts(batch, self._write, self._leave_out, control=self._writer.check_pictures)

    def _leave_out(self, item: DecodedFile, code: str, reason: str) -> None:
        self._refuse(_Job(item.fact, item.root_id), code, reason)

    def _write(self, batch: Sequence[DecodedFile]) -> None:
        fresh = self._writer.write_pictures(batch)
        self.report.embedded += fresh
        again = sum(item.fact.path in self._looked_again for item in batch)
        self.report.unchanged += again
        self.report.reused += len(batch) - fresh - again
        self._since_publish += fresh

    def _publish(self) -> None:
        self._on_progress(Progress("publish", 0, None))
        publish(self._library, self._model.id)
        with self._library.read() as session:
            active = active_generation(session, self._model.id, "image")
            self._published = active.vectors if active else 0
        self._since_publish = 0


def _item(file: DecodedFile) -> Item:
    return Item(file.picture.sha256, file.fact.path)
