"""`import`: captions, phrases and boxes that people already have, tied to the pictures of the library."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from indexer.annotations.naming import Target, find_pictures
from indexer.annotations.reading import read_annotations
from indexer.annotations.records import PictureRecord
from indexer.embed_regions import embed_regions
from indexer.embed_texts import embed_texts
from indexer.isolate import in_parts
from indexer.kept import go_on, noting
from indexer.report import ImportReport, OnProgress, Progress, SkippedRecord, silent
from indexer.writer import Writer
from search.db.annotations import Annotated, CaptionFact, annotate
from search.db.limits import holdable
from search.library import Library
from search.publishing import publish
from vision.encoders.base import Encoder

SOURCE = "import"
"""What `captions.source` and `regions.source` say of people's own annotations."""

_BATCH = 256
"""Pictures per transaction."""

_WHERE_CHARS = 300

_ASPECT_TOLERANCE = 0.02
"""Relative: boxes are normalised, so another size of the same picture is fine, another shape is not."""


def import_annotations(
    library: Library, encoder: Encoder, files: Sequence[Path], on_progress: OnProgress = silent
) -> ImportReport:
    """Import annotation files; importing the same file again changes nothing.

    Args:
        encoder: the library's own; it embeds the new captions and phrases, and what the boxes show.

    Raises:
        ImportFormatError: a file cannot be read at all; nothing of any file was imported then.
        LibraryEmptyError: nothing has been indexed yet.
        ModelMismatchError: the encoder is not the library's.
        LibraryBusyError: another bulk job runs on this library.
    """
    started = time.monotonic()
    report = ImportReport()
    parsed = [(path, read_annotations(path)) for path in files]
    stored = 0
    with library.working("imports"), noting(lambda: go_on(stored, "captions and boxes")):
        with library.write() as session:
            model = library.check_model(session, encoder.facts)
            session.expunge(model)
        for path, annotations in parsed:
            report.skipped += annotations.skipped
            records = list(annotations.pictures.values())
            for start in range(0, len(records), _BATCH):
                _import_batch(library, records[start : start + _BATCH], path.name, report)
                stored = report.captions + report.regions  # committed, and not merely counted
                on_progress(Progress("images", min(start + _BATCH, len(records)), len(records)))
        writer = Writer(library, model, encoder)
        report.texts_embedded = embed_texts(library, model, writer, on_progress, report.skipped)
        on_progress(Progress("publish", 0, None))
        publish(library, model.id)
        boxes = embed_regions(library, model, writer, on_progress)
        report.regions_embedded = boxes.embedded
        report.skipped += boxes.refused
    report.elapsed_s = time.monotonic() - started
    return report


def _import_batch(library: Library, records: Sequence[PictureRecord], name: str, report: ImportReport) -> None:
    """Import records in one transaction, or without those that the database refuses."""

    def write(some: Sequence[PictureRecord]) -> None:
        part = ImportReport()
        with library.write() as session:
            _import_pictures(session, some, name, part)
        # Behind the commit: what was rolled back is written again in parts, and must not be counted twice.
        report.add(part)

    def leave_out(record: PictureRecord, code: str, reason: str) -> None:
        report.skipped.append(SkippedRecord(_where(name, record), code, reason))

    in_parts(records, write, leave_out)


def _import_pictures(session: Session, records: Sequence[PictureRecord], name: str, report: ImportReport) -> None:
    items: list[Annotated] = []
    for record, target in zip(records, find_pictures(session, [one.file for one in records]), strict=True):
        if isinstance(target, SkippedRecord):
            report.skipped.append(SkippedRecord(_where(name, record), target.code, target.reason))
        else:
            items.append(_annotated(record, target, name, report))
    for written in annotate(session, items, SOURCE):
        report.images += 1
        report.captions += written.captions
        report.regions += written.regions
        report.already_there += written.already_there


def _annotated(record: PictureRecord, target: Target, name: str, report: ImportReport) -> Annotated:
    """What a record says of its picture; without its boxes, where they were drawn on another shape."""
    if not _has_boxes(record) or record.size_wh is None or _same_shape(record.size_wh, target):
        return Annotated(target.image_id, record.captions, record.loose)
    width, height = record.size_wh
    reason = (
        f"its boxes were drawn on {width}×{height} px, but the picture is {target.width_px}×{target.height_px} px"
        " upright; its boxes were left out"
    )
    report.skipped.append(SkippedRecord(_where(name, record), "other_shape", reason))
    return Annotated(target.image_id, [CaptionFact(caption.text, caption.language) for caption in record.captions])


def _where(name: str, record: PictureRecord) -> str:
    return f"{holdable(name)}: {holdable(record.file, _WHERE_CHARS)}"


def _has_boxes(record: PictureRecord) -> bool:
    return bool(record.loose) or any(caption.regions for caption in record.captions)


def _same_shape(size_wh: tuple[int, int], target: Target) -> bool:
    declared = size_wh[0] / size_wh[1]
    actual = target.width_px / target.height_px
    return abs(declared - actual) <= _ASPECT_TOLERANCE * actual
