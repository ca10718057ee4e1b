"""`caption`: the slow pass that lets a grounded captioner write about every picture and point at what it names."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import exists, select

from indexer.annotations.records import clean_text, span_of
from indexer.embed_texts import embed_texts
from indexer.kept import go_on, noting
from indexer.report import OnProgress, Progress, RefusedFile, silent
from indexer.writer import Writer
from search.db.annotations import CaptionFact, add_annotations
from search.db.images import first_paths
from search.db.schema import Caption, File, Image, Model
from search.errors import ImportFormatError
from search.library import Library
from vision.batching import BatchReport, batch_report, pictures_at_once
from vision.encoders.base import Encoder
from vision.grounding.base import CaptionerFacts, Detail, GroundedCaption, GroundedCaptioner
from vision.images import Decoded, DecodeLimits, DecodeRequest, DecoderPool, Refused
from vision.types import Region, RgbImage

_AT_LEAST = 16


@dataclass(frozen=True, slots=True)
class CaptionOptions:
    """How `caption` goes about it.

    Attributes:
        detail: one sentence, or all that is there.
        language: ISO 639-1 code; None for the captioner's own first language.
        batch_size: pictures per transaction, and at most per batch of the captioner; None for as many as its largest
            batch holds, 16 at least.
        decode_workers: decoding child processes.
        limits: what decoding one picture may cost.
    """

    detail: Detail = "brief"
    language: str | None = None
    batch_size: int | None = None
    decode_workers: int = 1
    limits: DecodeLimits = field(default_factory=DecodeLimits)


@dataclass(slots=True)
class CaptionReport:
    """The outcome of `caption`.

    Attributes:
        captioned: pictures that have a new caption.
        regions: boxes tied to phrases of those captions.
        dropped_boxes: boxes written that are none.
        silent: pictures about which the captioner wrote nothing; tried again next time.
        refused: files that could not be decoded, with the reason.
        texts_embedded: captions and phrases whose vector was computed.
        batches: how the captioner's batches were sized; None where it does not size them, or ran none.
        elapsed_s: wall-clock seconds of the whole job.
    """

    captioned: int = 0
    regions: int = 0
    dropped_boxes: int = 0
    silent: int = 0
    refused: list[RefusedFile] = field(default_factory=list)
    texts_embedded: int = 0
    batches: BatchReport | None = None
    elapsed_s: float = 0.0


def caption_source(facts: CaptionerFacts) -> str:
    """What `captions.source` says of a captioner: its name, and enough of its identity to tell two apart."""
    return f"{facts.name[:48]}:{facts.identity[:12]}"


def caption_library(
    library: Library,
    encoder: Encoder,
    captioner: GroundedCaptioner,
    options: CaptionOptions | None = None,
    on_progress: OnProgress = silent,
) -> CaptionReport:
    """Caption every picture that has none from this captioner in this language; resumable at every batch.

    Args:
        encoder: the library's own; it embeds what was written.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        ModelMismatchError: the encoder is not the library's.
        LibraryBusyError: another bulk job runs on this library.
        LanguageError: the captioner does not write that language.
    """
    started = time.monotonic()
    options = options or CaptionOptions()
    report = CaptionReport()
    with library.exclusive():
        with library.write() as session:
            model = library.check_model(session, encoder.facts)
            session.expunge(model)
        with noting(lambda: go_on(report.captioned, "captions")):
            try:
                _caption_pictures(library, captioner, options, report, on_progress)
            finally:
                _publish(library, model, encoder, report, on_progress)
    report.elapsed_s = time.monotonic() - started
    return report


def _caption_pictures(
    library: Library,
    captioner: GroundedCaptioner,
    options: CaptionOptions,
    report: CaptionReport,
    on_progress: OnProgress,
) -> None:
    language = options.language or captioner.facts.languages[0]
    source = caption_source(captioner.facts)
    paths = _without_caption(library, source, language)
    image_ids = {path: image_id for image_id, path in paths.items()}
    requests = (DecodeRequest(path, preprocessing=captioner.facts.preprocessing) for path in image_ids)
    on_progress(Progress("captions", 0, len(paths)))
    done = 0
    size = options.batch_size or pictures_at_once(captioner, otherwise=_AT_LEAST)
    with DecoderPool(options.limits, options.decode_workers) as pool:
        for batch in _batches(pool.map(requests), size):
            readable: list[tuple[int, RgbImage]] = []
            for answer in batch:
                if isinstance(answer, Refused):
                    report.refused.append(RefusedFile(answer.path, f"{answer.code}: {answer.reason}"))
                elif answer.pixels is not None:
                    readable.append((image_ids[answer.path], answer.pixels))
            if readable:
                pixels = [image for _, image in readable]
                written = captioner.caption(pixels, detail=options.detail, language=language)
                _write(library, [image_id for image_id, _ in readable], written, source, report)
            done += len(batch)
            on_progress(Progress("captions", done, len(paths)))
    report.batches = batch_report(captioner)


def _without_caption(library: Library, source: str, language: str) -> dict[int, str]:
    """A path of every present picture that this captioner has not captioned in this language, by id."""
    there = exists().where(Caption.image_id == Image.id, Caption.source == source, Caption.language == language)
    present = exists().where(File.image_id == Image.id, File.state == "indexed")
    with library.read() as session:
        ids = list(session.scalars(select(Image.id).where(present, ~there).order_by(Image.id)))
        return first_paths(session, ids)


def _write(
    library: Library,
    image_ids: Sequence[int],
    captions: Sequence[GroundedCaption],
    source: str,
    report: CaptionReport,
) -> None:
    with library.write() as session:
        for image_id, caption in zip(image_ids, captions, strict=True):
            report.dropped_boxes += caption.dropped_boxes
            fact = _as_fact(caption)
            if fact is None:
                report.silent += 1
                continue
            # A phrase that a translation lost still has its box; it belongs to the picture, to no words of the caption.
            loose = [region for region in caption.regions if region.span is None]
            written = add_annotations(session, image_id, [fact], loose, source)
            report.captioned += written.captions
            report.regions += written.regions


def _as_fact(caption: GroundedCaption) -> CaptionFact | None:
    try:
        text = clean_text(caption.text, "caption")
    except ImportFormatError:
        return None  # Nothing but white space: there is no caption to store.
    regions: list[Region] = []
    for region in caption.regions:
        if region.span is None:
            continue
        span = span_of([region.span.start, region.span.end], caption.text, "span")
        regions.append(Region(text[span.start : span.end], region.box, span, region.score))
    return CaptionFact(text, caption.language, tuple(regions))


def _publish(library: Library, model: Model, encoder: Encoder, report: CaptionReport, on_progress: OnProgress) -> None:
    report.texts_embedded = embed_texts(library, model, Writer(library, model, encoder), on_progress)
    on_progress(Progress("publish", 0, None))
    library.vectors.publish(model.id, "text")


def _batches(answers: Iterator[Decoded | Refused], size: int) -> Iterator[list[Decoded | Refused]]:
    batch: list[Decoded | Refused] = []
    for answer in answers:
        batch.append(answer)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
