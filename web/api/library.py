"""The library as a whole: what its pictures have in common, how much there is, what is there twice, and its export."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from search.duplicates import find_duplicates
from search.errors import NotFoundError
from search.query.plan import MAX_QUERY_CHARS
from search.results import SearchRequest
from web.api.common import KNOWN, Filters, problems
from web.api.exporting import MEDIA_TYPES, Format, exported
from web.deps import EngineDep, LikeId, RegionId
from web.list_schemas import DuplicatesModel, FacetsModel, StatsModel

Below = Annotated[
    str | None,
    Query(max_length=4_096, description="Only groups of which a file lies at or below this path."),
]
ExportOf = Annotated[Literal["images", "captions", "regions", "texts"], Query(description="What to export.")]
ExportAs = Annotated[Format, Query(alias="format", description="JSON Lines, or CSV with a head row.")]

router = APIRouter(dependencies=KNOWN)


@router.get(
    "/api/v1/facets",
    responses=problems(s400="The query cannot be read.", s404="A picture or box that it names is not there."),
    tags=["library"],
    operation_id="facets",
)
def facets(
    engine: EngineDep,
    q: Annotated[
        str | None, Query(max_length=MAX_QUERY_CHARS, description="A query; without one, the whole library is counted.")
    ] = None,
    like: LikeId = None,
    region: RegionId = None,
) -> FacetsModel:
    """Phrases, folders, dates, cameras, places and more with counts, each with the token that narrows to it."""
    started = time.perf_counter()
    given = (q is not None and q.strip() != "") or like is not None or region is not None
    request = SearchRequest(text=q or None, like_image_id=like, like_region_id=region) if given else None
    found = engine.facets(request)
    return FacetsModel.model_validate({**asdict(found), "took_ms": round((time.perf_counter() - started) * 1000, 3)})


@router.get("/api/v1/stats", responses=problems(), tags=["library"], operation_id="stats")
def stats(engine: EngineDep) -> StatsModel:
    """How much there is, as `deixis status --json` says it; rows are counted, so it takes longer in large libraries."""
    return StatsModel.model_validate(asdict(engine.service().status()))


@router.get(
    "/api/v1/duplicates",
    responses=problems(s404="The library has nothing below that path."),
    tags=["library"],
    operation_id="duplicates",
)
def duplicates(
    engine: EngineDep,
    below: Below = None,
    exact: Annotated[bool, Query(description="Only files with the same bytes.")] = False,
    k: Annotated[int, Query(ge=1, le=1_000, description="Groups to return at most.")] = 100,
) -> DuplicatesModel:
    """Files that show one picture, byte for byte or nearly; nothing is touched."""
    if below is not None and "\0" in below:
        raise NotFoundError("no path holds a NUL byte")
    library = engine.library()
    found = engine.compute(lambda _: find_duplicates(library, below=below or None, exact=exact, limit=k))
    return DuplicatesModel.model_validate(found)


@router.get(
    "/api/v1/exports",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "A row each, in the order in which they were written.",
            "content": {kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()},
        },
        **problems(s400="The filters cannot be read."),
    },
    tags=["library"],
    operation_id="export",
)
def export(
    engine: EngineDep, filters: Filters = None, of: ExportOf = "images", written: ExportAs = "jsonl"
) -> StreamingResponse:
    """Pictures, captions, boxes or lines of text that fulfil filters, all of them, as one stream of rows."""
    rows = exported(engine.library(), of, filters, written)
    headers = {"Content-Disposition": f'attachment; filename="{of}.{written}"', "Cache-Control": "no-store"}
    return StreamingResponse(rows, media_type=MEDIA_TYPES[written], headers=headers)
