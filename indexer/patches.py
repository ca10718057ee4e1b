"""Keep the patches of every picture that is shown: made from previews, behind the vectors, resumable at any picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import select

from indexer.control import control_picture
from indexer.isolate import ItemError, blames_an_item, in_parts, words
from indexer.report import OnProgress, PatchReport, Progress, SkippedRecord
from search.db.schema import Image
from search.library import Library
from search.patches.store import Kept, PatchStore
from search.previews import GALLERY_PX, PreviewStore
from search.vectors.live import shown
from vision.encoders.base import Encoder
from vision.localize import can_locate
from vision.looks import WHOLE, look_at_pictures
from vision.types import RgbImage

_AT_ONCE = 16
"""Pictures per batch: with their parts, five times as many looks."""

_PAGE = 2_000
"""Pictures per statement."""


NOT_LOOKED_AT = "not_looked_at"
"""Refusal code: the encoder fails on the patches of this picture, and not on others."""


def require_patches(encoder: Encoder) -> None:
    """Make sure, before anything is done, that patches can be kept.

    Raises:
        NoHeatMapError: the encoder has no patches in the space of its texts.
    """
    _check(encoder, Kept(encoder.facts.identity, WHOLE))


def keep_patches(library: Library, encoder: Encoder, looks: int | None, on_progress: OnProgress) -> PatchReport | None:
    """Make what is missing; the caller holds the lock.

    Args:
        encoder: the library's.
        looks: from now on keep so many of each picture; 0 for none; None for as before, as far as the encoder can.

    Returns:
        What was done; None where no patches are kept.

    Raises:
        LibraryError: they cannot be written.
    """
    store = library.patches.store
    before = store.kept()
    count = looks if looks is not None else 0 if before is None else before.looks
    if looks == 0:
        store.clear()
    if count == 0 or (looks is None and not can_locate(encoder)):
        return None
    kept = Kept(encoder.facts.identity, count)
    if kept != before:
        store.keep(kept)
    report = PatchReport(looks=count)
    waiting: list[tuple[str, RgbImage]] = []
    for sha256, preview in _previews(library, store, kept, report, on_progress):
        waiting.append((sha256, preview))
        if len(waiting) >= _AT_ONCE:
            _make(waiting, encoder, store, kept, report)
            waiting = []
    _make(waiting, encoder, store, kept, report)
    with library.read() as session:
        store.erase_others(set(session.scalars(select(Image.sha256))))
    library.patches.forget_sample()
    return report


def _previews(
    library: Library, store: PatchStore, kept: Kept, report: PatchReport, on_progress: OnProgress
) -> Iterator[tuple[str, RgbImage]]:
    """The pictures that are shown and have no such patches yet."""
    previews, last = PreviewStore(library.home), 0
    while True:
        with library.read() as session:
            query = select(Image.id, Image.sha256).where(Image.id > last, shown(Image.id))
            rows = session.execute(query.order_by(Image.id).limit(_PAGE)).all()
        if not rows:
            return
        last = rows[-1][0]
        for _, sha256 in rows:
            report.pictures += 1
            on_progress(Progress("patches", report.pictures, None))
            if store.looks_of(sha256, kept.model) == kept.looks:
                report.bytes += store.path(sha256, kept.model).stat().st_size
                continue
            preview = previews.pixels(sha256, GALLERY_PX)
            if preview is None:
                report.without_preview += 1
            else:
                yield sha256, preview


def _make(
    pictures: Sequence[tuple[str, RgbImage]], encoder: Encoder, store: PatchStore, kept: Kept, report: PatchReport
) -> None:
    def work(some: Sequence[tuple[str, RgbImage]]) -> None:
        try:
            made = look_at_pictures(encoder, [pixels for _, pixels in some], kept.looks)
        except Exception as error:
            if not blames_an_item(error):
                raise
            raise ItemError(NOT_LOOKED_AT, f"The encoder fails on it: {words(error)}") from error
        for (sha256, _), looks in zip(some, made, strict=True):
            report.bytes += store.put(sha256, kept.model, looks)
            report.made += 1

    def leave_out(item: tuple[str, RgbImage], code: str, reason: str) -> None:
        report.refused.append(SkippedRecord(f"picture {item[0]}", code, reason))

    in_parts(pictures, work, leave_out, control=lambda: _check(encoder, kept))


def _check(encoder: Encoder, kept: Kept) -> None:
    """Raise where the encoder fails on any picture."""
    look_at_pictures(encoder, [control_picture(encoder.facts.preprocessing.output_hw)], kept.looks)
