"""`caption`: the slow pass that lets a grounded captioner write about every picture and point at what it names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import exists, select

from indexer.batches import in_batches
from indexer.captions import annotations_of
from indexer.control import control_picture
from indexer.embed_regions import embed_regions
from indexer.embed_texts import embed_texts
from indexer.hands import Hands, take_in_hand
from indexer.isolate import ItemError, blames_an_item, in_parts, words
from indexer.kept import go_on, noting
from indexer.report import CaptionReport, OnProgress, Progress, RefusedFile, silent
from indexer.stages.line import Line, Stage
from indexer.stages.timing import Timing
from indexer.writer import Writer
from search.captioning import begin_generation, generation_of
from search.db.annotations import Annotated, annotate
from search.db.limits import holdable
from search.db.schema import Caption, File, Image, Model
from search.jobs.quarantine import Item
from search.library import Library
from search.originals import first_originals
from search.publishing import publish
from vision.batching import batch_report, pictures_at_once
from vision.encoders.base import Encoder
from vision.grounding.base import CaptionerFacts, Detail, GroundedCaption, GroundedCaptioner
from vision.images import DecodeLimits, DecodeRequest, DecoderPool, Refused
from vision.originals import Original
from vision.types import RgbImage

_AT_LEAST = 16

NOT_CAPTIONED = "not_captioned"
"""Refusal code: the captioner fails on this picture, and not on others."""


@dataclass(frozen=True, slots=True)
class CaptionOptions:
    """How `caption` goes about it.

    Attributes:
        detail: one sentence, or all that is there.
        language: ISO 639-1 code; None for the captioner's own first language.
        retry_refused: try again the pictures over which workers have died.
        batch_size: pictures per transaction, and at most per batch of the captioner; None for as many as its largest
            batch holds, 16 at least.
        decode_workers: decoding child processes.
        limits: what decoding one picture may cost.
    """

    detail: Detail = "brief"
    language: str | None = None
    retry_refused: bool = False
    batch_size: int | None = None
    decode_workers: int = 1
    limits: DecodeLimits = field(default_factory=DecodeLimits)


@dataclass(frozen=True, slots=True)
class _Readable:
    """A decoded picture that waits for its caption."""

    image_id: int
    sha256: str
    path: str
    pixels: RgbImage


@dataclass(frozen=True, slots=True)
class _Asked:
    """A captioner with what is asked of it."""

    captioner: GroundedCaptioner
    detail: Detail
    language: str
    source: str
    generation_id: int

    def caption(self, pictures: Sequence[RgbImage]) -> Sequence[GroundedCaption]:
        """Caption prepared pictures, one caption each."""
        try:
            captions = self.captioner.caption(pictures, detail=self.detail, language=self.language)
        except Exception as error:
            if not blames_an_item(error):
                raise
            raise ItemError(NOT_CAPTIONED, f"The captioner fails on it: {words(error)}") from error
        if len(captions) != len(pictures):
            raise ItemError(
                NOT_CAPTIONED, f"The captioner wrote {len(captions)} captions for {len(pictures)} pictures."
            )
        return captions

    def check(self) -> None:
        """Caption a picture of our own; raises what the captioner raises where it fails on any picture."""
        picture = control_picture(self.captioner.facts.preprocessing.output_hw)
        self.captioner.caption([picture], detail=self.detail, language=self.language)


def caption_source(facts: CaptionerFacts, detail: Detail = "brief") -> str:
    """What `captions.source` says of a captioner: its name, and enough of its identity to tell two apart.

    What it says in detail is marked by `+`: it stands beside what it says in brief, as another generation.
    """
    return f"{holdable(facts.name, 48)}:{facts.identity[:12]}{'+' if detail == 'detailed' else ''}"


def caption_library(
    library: Library,
    encoder: Encoder,
    captioner: GroundedCaptioner,
    options: CaptionOptions | None = None,
    on_progress: OnProgress = silent,
    hands: Hands | None = None,
) -> CaptionReport:
    """Caption every picture that has none from this captioner in this language; resumable at every batch.

    Args:
        encoder: the library's own; it embeds what was written, and what the boxes show.
        hands: of the job that this is part of.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        ModelMismatchError: the encoder is not the library's.
        LibraryBusyError: another job writes captions, or has the library alone.
        LanguageError: the captioner does not write that language.
    """
    started = time.monotonic()
    options = options or CaptionOptions()
    report = CaptionReport()
    with library.working("captions"):
        with library.write() as session:
            model = library.check_model(session, encoder.facts)
            session.expunge(model)
        with noting(lambda: go_on(report.captioned, "captions")):
            try:
                _caption_pictures(library, captioner, options, report, on_progress, hands)
            finally:
                _publish(library, model, encoder, report, on_progress)
            # Not for a run that was stopped: what it has said is found already, and the next job looks at the boxes.
            report.boxes = embed_regions(library, model, Writer(library, model, encoder), on_progress)
    report.elapsed_s = time.monotonic() - started
    return report


def _caption_pictures(
    library: Library,
    captioner: GroundedCaptioner,
    options: CaptionOptions,
    report: CaptionReport,
    on_progress: OnProgress,
    hands: Hands | None,
) -> None:
    language = options.language or captioner.facts.languages[0]
    source = caption_source(captioner.facts, options.detail)
    with library.write() as session:
        number = begin_generation(session, source, language, options.detail)
    asked = _Asked(captioner, options.detail, language, source, number)
    originals = _without_caption(library, asked.source, language)
    image_ids = {original.path: image_id for image_id, original in originals.items()}
    requests = (DecodeRequest.of(original, captioner.facts.preprocessing) for original in originals.values())
    if options.retry_refused and hands is not None:
        hands.forgive(asked.source)
    on_progress(Progress("captions", 0, len(originals)))
    done = 0
    size = options.batch_size or pictures_at_once(captioner, otherwise=_AT_LEAST)
    timing = Timing(report.stages)
    writing = Stage("write", lambda said: _write_batch(library, asked, said, report))
    # Room for the whole next batch: it is decoded while this one is written about, and the last one stored.
    pool = DecoderPool(options.limits, options.decode_workers, window=max(4 * options.decode_workers, 2 * size))
    with Line([writing], timing) as line, pool:
        for batch in in_batches(pool.map(requests), size):
            readable: list[_Readable] = []
            for answer in batch:
                if isinstance(answer, Refused):
                    report.refused.append(RefusedFile(answer.path, f"{answer.code}: {answer.reason}"))
                elif answer.pixels is not None:
                    readable.append(_Readable(image_ids[answer.path], answer.sha256, answer.path, answer.pixels))
            # In this thread: Ctrl-C must not wait for minutes.
            with timing.working("caption"):
                said = _caption_batch(asked, readable, report, hands)
            timing.add("caption", blocked_s=line.put(said))
            done += len(batch)
            on_progress(Progress("captions", done, len(originals)))
    timing.add("decode", worked_s=pool.worked_s)
    report.batches = batch_report(captioner)
    report.generation = generation_of(library, number)


def _without_caption(library: Library, source: str, language: str) -> dict[int, Original]:
    """The original of every present picture that this captioner has not captioned in this language, by id."""
    there = exists().where(Caption.image_id == Image.id, Caption.source == source, Caption.language == language)
    present = exists().where(File.image_id == Image.id, File.state == "indexed")
    with library.read() as session:
        ids = list(session.scalars(select(Image.id).where(present, ~there).order_by(Image.id)))
        return first_originals(session, library.home, ids)


_Said: TypeAlias = tuple[_Readable, GroundedCaption]


def _caption_batch(
    asked: _Asked, readable: Sequence[_Readable], report: CaptionReport, hands: Hands | None
) -> list[_Said]:
    """Caption pictures; one that fails is listed, and tried again at the next run."""
    said: list[_Said] = []

    def look(pictures: Sequence[_Readable]) -> None:
        captions = asked.caption([picture.pixels for picture in pictures])
        said.extend(zip(pictures, captions, strict=True))

    def refuse(one: _Readable, code: str, reason: str) -> None:
        _refuse(report, one, code, reason)

    def work(some: Sequence[_Readable]) -> None:
        in_parts(some, look, refuse, control=asked.check)

    take_in_hand(hands, asked.source, readable, _item, work, refuse)
    return said


def _item(picture: _Readable) -> Item:
    return Item(picture.sha256, picture.path)


def _write_batch(library: Library, asked: _Asked, said: Sequence[_Said], report: CaptionReport) -> None:
    """Store what was said; what the database refuses is listed, and tried again at the next run."""
    in_parts(
        said,
        lambda some: _write(library, some, asked, report),
        lambda pair, code, reason: _refuse(report, pair[0], code, reason),
    )


def _refuse(report: CaptionReport, picture: _Readable, code: str, reason: str) -> None:
    report.refused.append(RefusedFile(picture.path, f"{code}: {reason}"))


def _write(
    library: Library, said: Sequence[tuple[_Readable, GroundedCaption]], asked: _Asked, report: CaptionReport
) -> None:
    offers = [(picture, caption, annotations_of(caption)) for picture, caption in said]
    items = [Annotated(one.image_id, [made.caption], made.loose) for one, _, made in offers if made.caption is not None]
    with library.write() as session:
        written = annotate(session, items, asked.source, asked.generation_id)
    # Behind the commit: what was rolled back is written again in parts, and must not be counted twice.
    report.silent += len(offers) - len(items)
    report.dropped_boxes += sum(caption.dropped_boxes + made.dropped for _, caption, made in offers)
    report.captioned += sum(one.captions for one in written)
    report.regions += sum(one.regions for one in written)


def _publish(library: Library, model: Model, encoder: Encoder, report: CaptionReport, on_progress: OnProgress) -> None:
    writer = Writer(library, model, encoder)
    report.texts_embedded = embed_texts(library, model, writer, on_progress, report.texts_refused)
    on_progress(Progress("publish", 0, None))
    publish(library, model.id, ("text", "region"))
