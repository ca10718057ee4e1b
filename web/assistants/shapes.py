"""What the tools answer: as little as says everything, for whoever reads it pays by the word."""

from __future__ import annotations

from pydantic import BaseModel, Field

from search.facets import Facets
from search.results import CaptionInfo, Hit, ImageDetail, MatchedRegion, RegionInfo, SearchResult
from vision.types import Box
from web.templating import shown_path

MAX_REGIONS = 60
"""Boxes of one picture that are told, of captions and of none; a count says how many there are."""

MAX_TEXT = 2_000


class Found(BaseModel):
    """A box on a hit, and what of the query it answers."""

    phrase: str
    box: tuple[float, float, float, float] = Field(description="x0, y0, x1, y1 in [0, 1], origin top left, upright.")
    answers: str = Field(description="The piece of the query that it answers.")
    strength: float = Field(description="How likely it is right, 0 to 1.")


class HitShape(BaseModel):
    """One picture that was found."""

    image_id: int
    file: str = Field(description="Name of a file that holds it; the whole path where that may be told.")
    width_px: int
    height_px: int
    score: float = Field(description="What the ranking sorts by.")
    likelihood: float | None = Field(description="That it is relevant, 0 to 1; null where nobody can tell.")
    likely: bool = Field(description="Whether it lies before the line under what is likely relevant.")
    caption: str | None = Field(description="The text that answers the query best, if any does.")
    boxes: list[Found]
    same: list[int] = Field(description="Pictures that are nearly the same and were folded into this one.")


class SearchShape(BaseModel):
    """An answer: hits, best first, and what to know about them."""

    understood: str = Field(description="The query as it was understood.")
    hits: list[HitShape]
    likely: int | None = Field(description="How many hits in all are likely relevant; 0: probably nothing shows it.")
    more: bool = Field(description="Whether hits follow after these (offset).")
    nearest: list[str] = Field(description="Phrases of the library that come nearest, where nothing is likely.")
    remarks: list[str] = Field(description="What of the query could not be read as it was written.")
    pictures_searched: int


class FacetShape(BaseModel):
    """What some pictures have in common: a kind of fact, with its most frequent values."""

    name: str
    values: list[tuple[str, int, str]] = Field(description="The value, how many pictures, what to add to the query.")


class FacetsShape(BaseModel):
    """Facets of the pictures of a query, or of the whole library."""

    pictures: int = Field(description="How many pictures were counted.")
    of: str = Field(description="Which: `library`, `filters`, the `likely` hits, the `nearest` pictures.")
    facets: list[FacetShape]


class RegionShape(BaseModel):
    """A phrase and where it is."""

    region_id: int
    phrase: str
    box: tuple[float, float, float, float]
    source: str


class CaptionShape(BaseModel):
    """A sentence about the picture."""

    text: str
    language: str | None
    source: str


class PictureShape(BaseModel):
    """Everything that is known of one picture; the picture itself stands beside it."""

    image_id: int
    files: list[str]
    width_px: int
    height_px: int
    format: str
    taken_at: str | None
    captions: list[CaptionShape]
    regions: list[RegionShape]
    regions_in_all: int
    text_in_picture: list[str]
    facts: list[str] = Field(description="As `name: value (source)`.")


class AnswerShape(BaseModel):
    """What a captioner says about a picture; a small model's word, not a fact."""

    answer: str
    model: str


class JobShape(BaseModel):
    """A job that was queued."""

    job: int
    note: str


def search_shape(result: SearchResult) -> SearchShape:
    """An answer of the engine, as tools tell it."""
    return SearchShape(
        understood=result.query,
        hits=[_hit(hit) for hit in result.hits],
        likely=result.likely,
        more=result.more,
        nearest=list(result.nearest),
        remarks=list(result.remarks),
        pictures_searched=result.images_searched,
    )


def facets_shape(found: Facets) -> FacetsShape:
    """Facets, as tools tell them."""
    facets = [
        FacetShape(name=one.name, values=[(value.text, value.count, value.token) for value in one.values])
        for one in found.facets
    ]
    return FacetsShape(pictures=found.images, of=found.of, facets=facets)


def picture_shape(detail: ImageDetail) -> PictureShape:
    """One picture, as tools tell it."""
    regions = [region for caption in detail.captions for region in caption.regions] + list(detail.regions)
    return PictureShape(
        image_id=detail.image_id,
        files=[shown_path(file.path) for file in detail.files],
        width_px=detail.width_px,
        height_px=detail.height_px,
        format=detail.format,
        taken_at=None if detail.taken_at is None else detail.taken_at.isoformat(),
        captions=[_caption(caption) for caption in detail.captions],
        regions=[_region(region) for region in regions[:MAX_REGIONS]],
        regions_in_all=len(regions),
        text_in_picture=[line.phrase[:MAX_TEXT] for line in detail.lines[:MAX_REGIONS]],
        facts=[
            f"{fact.name}: {fact.number if fact.text is None else fact.text[:MAX_TEXT]} ({fact.source})"
            for fact in detail.facts
        ],
    )


def _hit(hit: Hit) -> HitShape:
    return HitShape(
        image_id=hit.image_id,
        file=shown_path(hit.path),
        width_px=hit.width_px,
        height_px=hit.height_px,
        score=round(hit.score, 4),
        likelihood=None if hit.likelihood is None else round(hit.likelihood, 3),
        likely=hit.likely,
        caption=None if hit.caption is None else hit.caption.text[:MAX_TEXT],
        boxes=[_found(region) for region in hit.regions],
        same=list(hit.same),
    )


def _found(region: MatchedRegion) -> Found:
    return Found(
        phrase=region.phrase[:MAX_TEXT],
        box=_corners(region.box),
        answers=region.answers,
        strength=round(region.strength, 3),
    )


def _caption(caption: CaptionInfo) -> CaptionShape:
    return CaptionShape(text=caption.text[:MAX_TEXT], language=caption.language, source=caption.source)


def _region(region: RegionInfo) -> RegionShape:
    return RegionShape(
        region_id=region.region_id,
        phrase=region.phrase[:MAX_TEXT],
        box=_corners(region.box),
        source=region.source,
    )


def _corners(box: Box) -> tuple[float, float, float, float]:
    return (round(box.x0, 4), round(box.y0, 4), round(box.x1, 4), round(box.y1, 4))
