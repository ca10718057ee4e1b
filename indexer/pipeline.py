"""`index`: scan → decode → embed → write → publish, overlapping, resumable at every batch."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from indexer.claiming import claim_model
from indexer.embed_regions import embed_regions
from indexer.embed_texts import embed_texts
from indexer.hands import Hands
from indexer.inlets import Inlets
from indexer.kept import go_on, noting
from indexer.options import IndexOptions
from indexer.patches import keep_patches, require_patches
from indexer.path_list import sorted_out
from indexer.places import PathError, resolve_root
from indexer.prune import prune_missing
from indexer.refresh_beside import refresh_beside
from indexer.report import IndexReport, OnProgress, Progress, RefusedFile, silent
from indexer.roots import claim_roots, require_outside
from indexer.stages.decode import DecodeStage, Known, Outcome
from indexer.stages.embed import WORK, EmbedStage
from indexer.stages.jobs import Jobs
from indexer.stages.line import Line, Stage
from indexer.stages.publish import PublishStage
from indexer.stages.scan import ScanStage
from indexer.stages.timing import Timing
from indexer.stages.write import Notes, NotIndexed, WriteStage
from indexer.writer import DecodedFile, Writer
from search.db.roots import outermost, root_paths
from search.erasing import erase_vectors
from search.library import Library
from vision.batching import batch_report, pictures_at_once
from vision.encoders.base import Encoder
from vision.images import DecoderPool, Refused

__all__ = ["IndexOptions", "index_paths"]

_AT_LEAST = 32
"""Pictures per transaction, where the encoder takes fewer at once: a transaction costs a sync of the disk."""

_NOTES = 256
"""Copies or refusals per transaction: one per moved file would take hours for a library."""


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
        on_progress: called in the caller's thread; what it raises ends the run as Ctrl-C does: what is finished is kept
            and published, and the error is raised.
        hands: of the job that this is part of.

    Raises:
        PathError: a given path does not exist, or none was given and the library has no root.
        LibraryBusyError: another bulk job runs on this library.
        ModelMismatchError: the encoder is not the library's, and `replace_model` is off.
        NoHeatMapError: patches are asked for, and the encoder has none in the space of its texts.
    """
    started = time.monotonic()
    options = options or IndexOptions()
    roots = [os.fspath(path) if options.changed else resolve_root(path) for path in paths]
    if options.looks:
        require_patches(encoder)
    with library.exclusive() if options.alone else library.working(WORK):
        run = _Run(library, encoder, options, on_progress, hands)
        listed = sorted_out(options.listed)
        run.report.refused += listed.refused
        with noting(lambda: go_on(run.report.embedded + run.report.reused, "pictures")):
            run.index([*roots, *listed.roots])
    run.report.elapsed_s = time.monotonic() - started
    return run.report


class _Run:
    """One execution of `index`, with the lane of pictures or all of the library held."""

    def __init__(
        self, library: Library, encoder: Encoder, options: IndexOptions, on_progress: OnProgress, hands: Hands | None
    ) -> None:
        self.report = IndexReport()
        self._hands = hands
        self._timing = Timing(self.report.stages)
        self._library = library
        self._encoder = encoder
        self._options = options
        self._listener = on_progress
        self._stopped = False
        self._model, self._replacing = claim_model(library, encoder.facts, replace=options.replace_model)
        self._writer = Writer(library, self._model, encoder)
        self._inlets = Inlets(library, options, self._model.id)
        self._publisher = PublishStage(library, self._model.id)
        self._writing = WriteStage(self._writer, self._publisher)
        self._batch_size = options.batch_size or pictures_at_once(encoder, otherwise=_AT_LEAST)
        # An encoder that waits gets what is there; not where somebody has said how many belong together.
        self._enough = options.batch_size or self._batch_size // 2
        self._copies: list[Known] = []
        self._refusals: list[NotIndexed] = []

    def index(self, given: Sequence[str]) -> None:
        roots = [] if self._options.changed else self._roots(given)
        self._publish()  # What an interrupted run has committed is searchable from here on.
        if self._options.retry_refused and self._hands is not None:
            self._hands.forgive(WORK)
        inlets, tell = self._inlets, self._tell
        scan = ScanStage(self._library, inlets, self._model.id, self._writer, self._options, self.report, tell)
        try:
            with self._timing.working("scan"):
                if self._options.changed:
                    scan.scan_changed(given)
                else:
                    scan.scan(roots)
            if self._options.changed and not scan.found:
                return  # What the last run has left to do, a run with something in it does.
            self._embed_pictures(scan.jobs)
            with contextlib.closing(inlets.fetch(self.report, tell)) as fetched:
                for jobs in fetched:
                    self._embed_pictures(jobs)
            refresh_beside(self._library, scan.beside, inlets.beside)
            # After the new paths are in: a moved picture keeps its image because a file holds it at all times.
            self._writer.mark(scan.gone, "missing")
            inlets.settle()
            self._finish()
        except BaseException as error:
            if self._stopped or isinstance(error, KeyboardInterrupt):
                self._settle()  # Again: it may have come just where that was being done.
                self._note()
                self._publisher.run()
            raise
        finally:
            scan.close()

    def _roots(self, given: Sequence[str]) -> list[str]:
        require_outside(self._library.home, given)
        with self._library.write() as session:
            claim_roots(session, given, self._options.rules)
            remembered = root_paths(session)
        # A new model must reach every picture, or those it did not reach would vanish with the old one.
        lists = self._options.listed or self._options.urls  # an empty one does not stand for all that was given before
        roots = sorted({*given, *(remembered if self._replacing or not (given or lists) else [])})
        if not (roots or lists):
            raise PathError("nothing to index", remedy="Name a folder: deixis index ~/Pictures")
        return outermost(roots)

    def _embed_pictures(self, jobs: Jobs) -> None:
        total = len(jobs)
        self._tell(Progress("images", 0, total))
        if not total:
            return
        embedding = EmbedStage(self._writer, self._writing.refuse, self._hands)
        stages = (Stage("embed", embedding.run), Stage("write", self._writing.run))
        decoding = DecodeStage(
            self._library,
            self._inlets,
            self._model.id,
            self._encoder.facts.preprocessing,
            rescan=self._options.rescan,
        )
        window = max(4 * self._options.decode_workers, 2 * self._batch_size)
        pool = DecoderPool(self._options.limits, self._options.decode_workers, window=window)
        try:
            # What the encoder has begun is finished, whatever ends the block: it has cost its time.
            with Line(stages, self._timing) as line, pool:
                self._feed(line, decoding.run(jobs, pool), total)
        finally:
            self._timing.add("decode", worked_s=pool.worked_s)
            self._settle()
        self._note()
        self.report.batches = batch_report(self._encoder)
        self._tell(Progress("images", total, total))

    def _feed(self, line: Line, outcomes: Iterator[Outcome | Known], total: int) -> None:
        batch: list[DecodedFile] = []
        for done, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, Known):
                self._copies.append(outcome)
            elif isinstance(outcome.answer, Refused):
                self._refuse(NotIndexed(outcome.job, outcome.answer.code, outcome.answer.reason))
            else:
                batch.append(DecodedFile(outcome.job.fact, outcome.job.root_id, outcome.answer, outcome.again))
                if outcome.answer.is_cut_short:
                    self.report.cut_short.append(outcome.answer.path)
            if len(batch) >= self._batch_size or (line.hungry and len(batch) >= self._enough):
                self._timing.add("decode", blocked_s=line.put(batch))
                batch = []
            self._settle()
            if max(len(self._copies), len(self._refusals)) >= _NOTES:
                line.put(self._notes())
            self._tell(Progress("images", done, total))
        if batch:
            line.put(batch)

    def _settle(self) -> None:
        """Count what has been committed."""
        while self._writing.done:
            written = self._writing.done.popleft()
            self.report.embedded += written.fresh
            self.report.unchanged += written.again
            self.report.reused += written.files - written.fresh - written.again
            for copy in written.copies:
                if copy.unaltered and copy.job.before is not None and copy.job.before.state == "indexed":
                    self.report.unchanged += 1
                else:
                    self.report.reused += 1
            for refused in written.refused:
                self._refuse(refused)

    def _refuse(self, refused: NotIndexed) -> None:
        self.report.refused.append(RefusedFile(refused.job.fact.path, refused.told))
        self._refusals.append(refused)

    def _notes(self) -> Notes:
        notes = Notes(self._copies, self._refusals)
        self._copies, self._refusals = [], []
        return notes

    def _note(self) -> None:
        """Write what is left of the notes, and the refusals that come of writing them."""
        while self._copies or self._refusals:
            self._writing.run(self._notes())
            self._settle()

    def _finish(self) -> None:
        if self._options.prune:
            self.report.pruned = prune_missing(self._library)
        self.report.rewritten = self._writer.rewritten
        with self._timing.working("texts"):
            self.report.texts_embedded = embed_texts(
                self._library, self._model, self._writer, self._tell, self.report.texts_refused
            )
        self._publish()
        self.report.previews_unwritten, self.report.previews_problem = self._writer.unwritten, self._writer.problem
        if self._options.prune:
            erase_vectors(self._library)
        if self._replacing:
            with self._library.write() as session:
                self._library.activate_model(session, self._library.register_model(session, self._encoder.facts))
        # Last, for what is found without them can be looked for already.
        with self._timing.working("boxes"):
            self.report.boxes = embed_regions(self._library, self._model, self._writer, self._tell)
        with self._timing.working("patches"):
            self.report.patches = keep_patches(self._library, self._encoder, self._options.looks, self._tell)

    def _publish(self) -> None:
        self._tell(Progress("publish", 0, None))
        with self._timing.working("publish"):
            self._publisher.run()

    def _tell(self, progress: Progress) -> None:
        try:
            self._listener(progress)
        except BaseException:
            self._stopped = True
            raise
