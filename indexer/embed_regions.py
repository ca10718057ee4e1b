"""Give every box in use the vector of what it shows: crops of previews, behind all else, resumable at any batch."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from indexer.isolate import in_parts
from indexer.report import OnProgress, Progress, RegionReport, SkippedRecord
from indexer.writer import Writer
from search.db.region_rows import BoxedPlace, places_without_vector
from search.db.schema import Model
from search.library import Library
from search.previews import GALLERY_PX, PreviewStore
from search.publishing import publish
from search.query.sources.regions import cut
from vision.types import RgbImage

BATCH = 64
"""Crops per transaction: some 15 MB of the largest previews."""

Crop = tuple[BoxedPlace, RgbImage]


def embed_regions(library: Library, model: Model, writer: Writer, on_progress: OnProgress) -> RegionReport:
    """Embed the boxes that have no vector yet, and publish; the caller holds the lock.

    Returns:
        What was done; a crop on which the encoder fails is tried again next time.
    """
    report = RegionReport()
    previews, last = PreviewStore(library.home), (0, 0)

    def write(crops: Sequence[Crop]) -> None:
        report.embedded += writer.write_regions([(place.region_id, pixels) for place, pixels in crops])

    def leave_out(crop: Crop, code: str, reason: str) -> None:
        report.refused.append(SkippedRecord(f"box {crop[0].region_id} of picture {crop[0].image_id}", code, reason))

    with library.turn("boxes", lambda: on_progress(Progress("boxes", 0, None))):
        while True:
            with library.read() as session:
                # From behind the last one on: a crop that cannot be embedded must not come again and again.
                places = places_without_vector(session, model.id, BATCH, after=last)
            if not places:
                break
            last = (places[-1].image_id, places[-1].region_id)
            crops = _crops(previews, places)
            _note_missing(previews, places, {place.region_id for place, _ in crops}, report)
            in_parts(crops, write, leave_out, control=writer.check_crops)
            on_progress(Progress("boxes", report.embedded, None))
    if report.embedded:
        on_progress(Progress("publish", 0, None))
        publish(library, model.id, ("region",))
    return report


def _note_missing(
    previews: PreviewStore, places: Sequence[BoxedPlace], seen: AbstractSet[int], report: RegionReport
) -> None:
    """Tell boxes whose preview has not been made from those whose preview cannot be read."""
    faults: dict[str, str | None] = {}
    for place in places:
        if place.region_id in seen:
            continue
        if place.sha256 not in faults:
            faults[place.sha256] = previews.fault(place.sha256, GALLERY_PX)
        fault = faults[place.sha256]
        if fault is None:
            report.without_preview += 1
        else:
            where = f"box {place.region_id} of picture {place.image_id}"
            report.refused.append(SkippedRecord(where, "preview_unreadable", f"its preview cannot be read: {fault}"))


def _crops(previews: PreviewStore, places: Sequence[BoxedPlace]) -> list[Crop]:
    """What the boxes show; of a picture without a preview, nothing."""
    pictures: dict[str, RgbImage | None] = {}
    for sha256 in dict.fromkeys(place.sha256 for place in places):
        # Always the same size, so that a vector does not depend on which pages somebody has opened.
        pictures[sha256] = previews.pixels(sha256, GALLERY_PX)
    return [
        (place, cut(picture, place.box))
        for place in places
        for picture in [pictures[place.sha256]]
        if picture is not None
    ]
