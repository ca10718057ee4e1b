"""Lists of what is told of pictures: captions, boxes, lines of text that were read."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from search.listing import Place, ToldRow, What, list_told
from web.api.common import KNOWN, Cursor, Filters, PageSize, problems
from web.api.cursors import Cursors
from web.deps import Engine, EngineDep
from web.list_schemas import CaptionsModel, ListedCaptionModel, ListedRegionModel, RegionsModel
from web.schemas import BoxModel, SpanModel

OfImage = Annotated[int | None, Query(alias="image", ge=1, le=2**63 - 1, description="Only of this picture.")]
OfSource = Annotated[str | None, Query(alias="source", min_length=1, max_length=64, description="Only of this source.")]

_PROBLEMS = problems(s400="The filters cannot be read.", s410="The cursor is of another library.")

router = APIRouter(dependencies=KNOWN)


@router.get("/api/v1/captions", responses=_PROBLEMS, tags=["told"], operation_id="captions")
def captions(
    engine: EngineDep,
    filters: Filters = None,
    image: OfImage = None,
    source: OfSource = None,
    k: PageSize = 100,
    cursor: Cursor = None,
) -> CaptionsModel:
    """Sentences about pictures, in the order in which they were written."""
    rows, following = _page(engine, "captions", filters, image, source, k, cursor)
    told = [(row.image_id, row.caption) for row in rows if row.caption is not None]
    return CaptionsModel(
        captions=tuple(
            ListedCaptionModel(
                caption_id=said.caption_id, image_id=of, text=said.text, source=said.source, language=said.language
            )
            for of, said in told
        ),
        next=following,
    )


@router.get("/api/v1/regions", responses=_PROBLEMS, tags=["told"], operation_id="regions")
def regions(
    engine: EngineDep,
    filters: Filters = None,
    image: OfImage = None,
    source: OfSource = None,
    k: PageSize = 100,
    cursor: Cursor = None,
) -> RegionsModel:
    """Boxes of what pictures show, with their phrases, in the order in which they were written."""
    rows, following = _page(engine, "regions", filters, image, source, k, cursor)
    return RegionsModel(regions=_regions(rows), next=following)


@router.get("/api/v1/texts", responses=_PROBLEMS, tags=["told"], operation_id="texts")
def texts(
    engine: EngineDep,
    filters: Filters = None,
    image: OfImage = None,
    source: OfSource = None,
    k: PageSize = 100,
    cursor: Cursor = None,
) -> RegionsModel:
    """Lines of text that were read in pictures, in the order in which they were written."""
    rows, following = _page(engine, "texts", filters, image, source, k, cursor)
    return RegionsModel(regions=_regions(rows), next=following)


def _page(
    engine: Engine, what: What, filters: str | None, image: int | None, source: str | None, k: int, cursor: str | None
) -> tuple[list[ToldRow], str | None]:
    cursors = Cursors(engine, f"/api/v1/{what}", {"q": filters, "image": image, "source": source})
    after: Place | None = cursors.read(cursor)
    rows, last = list_told(engine.library(), what, filters, k, after, image_id=image, source=source)
    return rows, cursors.next(last, k)


def _regions(rows: list[ToldRow]) -> tuple[ListedRegionModel, ...]:
    return tuple(
        ListedRegionModel(
            region_id=one.region_id,
            image_id=row.image_id,
            phrase=one.phrase,
            box=BoxModel.model_validate(one.box),
            span=None if one.span is None else SpanModel.model_validate(one.span),
            score=one.score,
            source=one.source,
        )
        for row in rows
        if (one := row.region) is not None
    )
