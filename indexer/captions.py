"""From what a captioner said to what can be stored: folded, with spans moved along, without what is none."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.annotations.records import clean_text, fold, span_of
from indexer.isolate import ItemError
from search.db.annotations import CaptionFact
from search.db.limits import MAX_TEXT_CHARS, has_area, holdable
from search.errors import ImportFormatError
from vision.grounding.base import GroundedCaption
from vision.types import Region


@dataclass(frozen=True, slots=True)
class Offered:
    """A caption and its regions, ready to be stored.

    Attributes:
        caption: None where the captioner wrote nothing.
        loose: regions of phrases that a translation lost: they belong to the picture, to no words of the caption.
        dropped: regions that are none: outside the caption, without a phrase, without area.
    """

    caption: CaptionFact | None
    loose: tuple[Region, ...] = ()
    dropped: int = 0


def annotations_of(said: GroundedCaption) -> Offered:
    """Make a captioner's answer storable.

    Raises:
        ItemError: the caption is longer than any caption.
    """
    raw = _readable(said.text)
    if len(raw) > MAX_TEXT_CHARS:
        raise ItemError(
            "not_captioned", f"The captioner wrote {len(raw):,} characters; the limit is {MAX_TEXT_CHARS:,}."
        )
    if not fold(raw):
        return Offered(None)
    text = clean_text(raw, "caption")
    tied: list[Region] = []
    loose: list[Region] = []
    for region in said.regions:
        placed = _placed(region, raw, text)
        if placed is not None:
            (loose if placed.span is None else tied).append(placed)
    dropped = len(said.regions) - len(tied) - len(loose)
    return Offered(CaptionFact(text, said.language, tuple(tied)), tuple(loose), dropped)


def _placed(region: Region, raw: str, text: str) -> Region | None:
    """The region as it is stored, None where it is none."""
    if not has_area(region.box):
        return None
    try:
        if region.span is None:
            return Region(clean_text(_readable(region.phrase), "phrase"), region.box, None, region.score)
        span = span_of([region.span.start, region.span.end], raw, "span")
    except ImportFormatError:
        return None
    return Region(text[span.start : span.end], region.box, span, region.score)


def _readable(text: str) -> str:
    """Character by character, so that spans still fit: NUL is a blank, half a surrogate pair U+FFFD."""
    return holdable(text.replace("\0", " "))
