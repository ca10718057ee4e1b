"""`read`: the pass that reads what is written in every picture, line by line."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.batches import in_batches
from indexer.control import control_picture
from indexer.embed_texts import embed_texts
from indexer.hands import Hands, take_in_hand
from indexer.isolate import ItemError, blames_an_item, in_parts, words
from indexer.kept import go_on, noting
from indexer.report import OnProgress, Progress, RefusedFile, SkippedRecord, silent
from indexer.writer import Writer
from search.db.limits import MAX_TEXT_CHARS, has_area, holdable
from search.db.readings import add_reading, images_unread
from search.db.roots import remembered_path
from search.db.schema import Model
from search.jobs.quarantine import Item
from search.library import Library
from search.originals import first_originals
from search.publishing import publish
from vision.encoders.base import Encoder
from vision.images import DecodeLimits, DecodeRequest, DecoderPool, Refused
from vision.readers.base import Reader, ReaderFacts, Reading
from vision.types import Region, RgbImage

NOT_READ = "not_read"
"""Refusal code: the reader fails on this picture, and not on others."""

_CONTROL_HW = (96, 192)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How `read` goes about it.

    Attributes:
        folder: read only pictures with a file below it, or that file; None for all.
        retry_refused: try again the pictures over which workers have died.
        batch_size: pictures per transaction; each is some 10 MB in memory until it has been read.
        decode_workers: decoding child processes.
        limits: what decoding one picture may cost.
    """

    folder: Path | None = None
    retry_refused: bool = False
    batch_size: int = 16
    decode_workers: int = 1
    limits: DecodeLimits = field(default_factory=DecodeLimits)


@dataclass(slots=True)
class ReadReport:
    """The outcome of `read`.

    Attributes:
        pictures: that were looked at; none of them is looked at again by this reader.
        with_text: those in which something was read.
        glanced: those of which a first look at little cost was enough.
        lines: that were read.
        refused: files that could not be decoded or read, with the reason; tried again next time.
        texts_embedded: texts whose vector was computed.
        texts_refused: those that the encoder fails on; they are found by their words alone.
        elapsed_s: wall-clock seconds of the whole job.
    """

    pictures: int = 0
    with_text: int = 0
    glanced: int = 0
    lines: int = 0
    refused: list[RefusedFile] = field(default_factory=list)
    texts_embedded: int = 0
    texts_refused: list[SkippedRecord] = field(default_factory=list)
    elapsed_s: float = 0.0

    def add(self, later: ReadReport) -> None:
        """Count what a later look for more pictures has brought."""
        self.pictures += later.pictures
        self.with_text += later.with_text
        self.glanced += later.glanced
        self.lines += later.lines
        self.refused = later.refused
        self.texts_embedded += later.texts_embedded
        self.texts_refused = later.texts_refused
        self.elapsed_s += later.elapsed_s


@dataclass(frozen=True, slots=True)
class _Readable:
    """A decoded picture that waits to be read."""

    image_id: int
    sha256: str
    path: str
    pixels: RgbImage


def reader_source(facts: ReaderFacts) -> str:
    """What `regions.source` says of a reader: its name, and enough of its identity to tell two apart."""
    return f"{holdable(facts.name, 48)}:{facts.identity[:12]}"


def read_library(
    library: Library,
    encoder: Encoder,
    reader: Reader,
    options: ReadOptions | None = None,
    on_progress: OnProgress = silent,
    hands: Hands | None = None,
) -> ReadReport:
    """Read every picture at which this reader has not looked; resumable at every batch.

    Args:
        encoder: the library's own; it embeds what was read.
        hands: of the job that this is part of.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        ModelMismatchError: the encoder is not the library's.
        LibraryBusyError: another job reads, or has the library alone.
        NotFoundError: the library knows nothing of the folder.
        ModelError: the reader fails on any picture.
    """
    started = time.monotonic()
    options = options or ReadOptions()
    report = ReadReport()
    with library.working("reading"):
        with library.write() as session:
            model = library.check_model(session, encoder.facts)
            session.expunge(model)
        with noting(lambda: go_on(report.pictures, "pictures")):
            try:
                _read_pictures(library, reader, options, report, on_progress, hands)
            finally:
                _publish(library, model, encoder, report, on_progress)
    report.elapsed_s = time.monotonic() - started
    return report


def _read_pictures(
    library: Library,
    reader: Reader,
    options: ReadOptions,
    report: ReadReport,
    on_progress: OnProgress,
    hands: Hands | None,
) -> None:
    source = reader_source(reader.facts)
    with library.read() as session:
        below = None if options.folder is None else remembered_path(session, os.fspath(options.folder))
        originals = first_originals(session, library.home, images_unread(session, source, below))
    image_ids = {original.path: image_id for image_id, original in originals.items()}
    requests = (DecodeRequest.of(original, reader.facts.preprocessing) for original in originals.values())
    if options.retry_refused and hands is not None:
        hands.forgive(source)
    on_progress(Progress("reading", 0, len(originals)))
    done = 0
    with DecoderPool(options.limits, options.decode_workers) as pool:
        for batch in in_batches(pool.map(requests), options.batch_size):
            readable: list[_Readable] = []
            for answer in batch:
                if isinstance(answer, Refused):
                    report.refused.append(RefusedFile(answer.path, f"{answer.code}: {answer.reason}"))
                elif answer.pixels is not None:
                    readable.append(_Readable(image_ids[answer.path], answer.sha256, answer.path, answer.pixels))
            _read_batch(library, reader, source, readable, report, hands)
            done += len(batch)
            on_progress(Progress("reading", done, len(originals)))


def _read_batch(
    library: Library,
    reader: Reader,
    source: str,
    readable: Sequence[_Readable],
    report: ReadReport,
    hands: Hands | None,
) -> None:
    """Read pictures and write what was read; one that fails is listed, and tried again at the next run."""
    found: list[tuple[_Readable, Reading]] = []

    def look(pictures: Sequence[_Readable]) -> None:
        found.extend(zip(pictures, _readings(reader, [one.pixels for one in pictures]), strict=True))

    def refuse(picture: _Readable, code: str, reason: str) -> None:
        report.refused.append(RefusedFile(picture.path, f"{code}: {reason}"))

    def work(some: Sequence[_Readable]) -> None:
        in_parts(some, look, refuse, control=lambda: _check(reader))

    take_in_hand(hands, source, readable, lambda one: Item(one.sha256, one.path), work, refuse)
    in_parts(
        found,
        lambda some: _write(library, some, source, report),
        lambda pair, code, reason: refuse(pair[0], code, reason),
    )


def _readings(reader: Reader, pictures: Sequence[RgbImage]) -> Sequence[Reading]:
    try:
        readings = reader.read(pictures)
    except Exception as error:
        if not blames_an_item(error):
            raise
        raise ItemError(NOT_READ, f"The reader fails on it: {words(error)}") from error
    if len(readings) != len(pictures):
        raise ItemError(NOT_READ, f"The reader gave {len(readings)} answers for {len(pictures)} pictures.")
    return readings


def _check(reader: Reader) -> None:
    """Read a picture of our own; raises what the reader raises where it fails on any picture."""
    reader.read([control_picture(_CONTROL_HW)])


def _write(library: Library, found: Sequence[tuple[_Readable, Reading]], source: str, report: ReadReport) -> None:
    lines = with_text = 0
    with library.write() as session:
        for picture, reading in found:
            regions = _regions(reading)
            lines += add_reading(session, picture.image_id, regions, source)
            with_text += bool(regions)
    # Behind the commit: what was rolled back is written again in parts, and must not be counted twice.
    report.pictures += len(found)
    report.with_text += with_text
    report.glanced += sum(reading.glanced for _, reading in found)
    report.lines += lines


def _regions(reading: Reading) -> list[Region]:
    """Lines as the library stores them; one without any width is left out, for no one could see where it is."""
    lines = ((holdable(line.text, MAX_TEXT_CHARS), line) for line in reading.lines)
    return [Region(text, line.box, None, line.confidence) for text, line in lines if text and has_area(line.box)]


def _publish(library: Library, model: Model, encoder: Encoder, report: ReadReport, on_progress: OnProgress) -> None:
    writer = Writer(library, model, encoder)
    report.texts_embedded = embed_texts(library, model, writer, on_progress, report.texts_refused)
    on_progress(Progress("publish", 0, None))
    publish(library, model.id, ("text",))
