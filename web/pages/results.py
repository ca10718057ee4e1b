"""The page of results: pictures for words, for a picture of the library, a part of it, or what a box shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from search.previews import PAGE_PX
from search.query.sources.crops import cropped
from search.results import ImageDetail, SearchRequest, SearchResult
from vision.types import RgbImage
from web.addresses import at
from web.deps import MAX_PAGE_HITS, Engine, EngineDep, LikeId, RegionId
from web.media import PreviewMaker
from web.overlay import TILE_LABELS, Overlay, draw
from web.pages.filters import shown_facets
from web.pages.tiles import tiles_of
from web.pages.tokens import orders, shown_tokens
from web.pieces import marked_query, query_pieces
from web.templating import render

HITS_PER_PAGE = 24
MOST_AT_ONCE = 480
"""Hits of several pages that are shown together."""

PageHits = Annotated[int, Query(ge=1, le=MAX_PAGE_HITS)]
PageNumber = Annotated[int, Query(ge=1, le=1000)]
LastPage = Annotated[int | None, Query(ge=1, le=1000)]

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for: words, a picture of the library or a part of it, more of what a box shows."""

    q: str = ""
    like: LikeId = None
    region: RegionId = None
    crop: Annotated[str, Query(max_length=100)] = ""

    @property
    def text(self) -> str | None:
        """The words, where there are any."""
        return self.q if self.q.strip() else None

    @property
    def links(self) -> dict[str, object]:
        """The parts of an address that ask for the same."""
        return {"q": self.text, "like": self.like, "region": self.region, "crop": self.crop or None}


@dataclass(frozen=True, slots=True)
class Shown:
    """Which part of an answer a page shows.

    Attributes:
        k: hits of one page.
        page: the first page that is shown.
        upto: the last one; None where it is the first.
        beyond: show what lies behind the line of what is likely relevant too.
        filters: show what the answer can be narrowed by.
    """

    k: PageHits = HITS_PER_PAGE
    page: PageNumber = 1
    upto: LastPage = None
    beyond: bool = False
    filters: bool = False

    @property
    def last(self) -> int:
        """The last page that is shown."""
        return max(self.page, min(self.upto or self.page, self.page + MOST_AT_ONCE // self.k - 1))

    def links(self) -> dict[str, object]:
        """The parts of an address that every page of this answer has."""
        given = {"beyond": self.beyond, "filters": self.filters}
        flags = {name: "true" if value else None for name, value in given.items()}
        return {"k": None if self.k == HITS_PER_PAGE else self.k, **flags}


@dataclass(frozen=True, slots=True)
class Boxed:
    """A box that more was asked of, on its picture."""

    image: ImageDetail
    overlay: Overlay
    phrase: str


@router.get("/search")
async def results(
    request: Request,
    engine: EngineDep,
    asked: Annotated[Asked, Depends()],
    shown: Annotated[Shown, Depends()],
) -> Response:
    """Pictures for words, pictures like one of the library or like a part of it, or more of what a box shows."""
    if asked.like is None and asked.region is None and asked.text is None:
        return RedirectResponse(at("/"), status_code=303)
    pictures: tuple[RgbImage, ...] = ()
    if asked.crop.strip() and asked.like is not None:
        pictures = await _part(request, engine, asked.like, asked.crop)
    return await run_in_threadpool(_answer, request, engine, asked, shown, pictures)


async def _part(request: Request, engine: Engine, image_id: int, crop: str) -> tuple[RgbImage, ...]:
    """A part of a picture of the library, as its page shows it."""
    previews: PreviewMaker = request.app.state.previews
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    preview = await previews.get(detail, PAGE_PX)
    whole = await run_in_threadpool(engine.decode_bytes, preview, f"picture {image_id}")
    return cropped([whole], [crop])


def _answer(request: Request, engine: Engine, asked: Asked, shown: Shown, pictures: tuple[RgbImage, ...]) -> Response:
    whole = None if pictures else asked.like
    wanted = SearchRequest(
        text=asked.text,
        pictures=pictures,
        like_image_id=whole,
        like_region_id=asked.region,
        k=shown.k * (shown.last - shown.page + 1),
        offset=(shown.page - 1) * shown.k,
    )
    result, behind = _before_the_line(engine.search(wanted), beyond=shown.beyond)
    service = engine.service()
    return results_page(
        request,
        engine,
        result,
        {
            **_paging(asked, shown, more=result.more),
            "q": asked.q,
            "like": service.image(asked.like) if asked.like is not None else None,
            "part": bool(pictures),
            "boxed": _boxed(engine, asked.region) if asked.region is not None else None,
            "tokens": shown_tokens(result) if asked.text else [],
            "orders": orders(result) if asked.text else [],
            "filters": shown_facets(engine.facets(wanted), asked.q) if shown.filters else None,
            "can_filter": True,
            "behind": behind,
            "nothing_likely": bool(asked.text) and result.likely == 0 and shown.page == 1,
        },
        looked_for=asked.q if asked.text and service.points_on_request else "",
    )


def results_page(
    request: Request, engine: Engine, result: SearchResult, context: Mapping[str, object], looked_for: str = ""
) -> Response:
    """An answer as a page.

    Args:
        request: as it came.
        engine: of this server.
        result: what to show.
        context: what the template needs beside the answer; what is left out is not there.
        looked_for: the query whose things are to be looked for where a sure hit has no box.
    """
    pieces = query_pieces(result.query, result.hits)
    nothing: dict[str, object] = {
        "upload": None,
        "like": None,
        "part": False,
        "boxed": None,
        "links": {},
        "leads": {},
        "tokens": [],
        "orders": [],
        "filters": None,
        "can_filter": False,
        "behind": False,
        "nothing_likely": False,
        "page": 1,
        "last": 1,
        "previous": False,
        "next": False,
    }
    made = {
        "result": result,
        "tiles": tiles_of(engine, result.hits, pieces, looked_for),
        "pieces": pieces,
        "stretches": marked_query(result.query, pieces),
    }
    return render(request, "results.html", {**nothing, **context, **made})


def _paging(asked: Asked, shown: Shown, *, more: bool) -> dict[str, object]:
    """Which pages are shown, what leads to others, and what a picture's page is to remember of the search."""
    beyond = {"beyond": "true" if shown.beyond else None}
    return {
        "links": {**asked.links, **shown.links()},
        # A search by a part would have to look at that part again at every picture.
        "leads": {} if asked.crop else {**asked.links, **beyond},
        "page": shown.page,
        "last": shown.last,
        "previous": shown.page > 1,
        "next": more and shown.last < 1000,
    }


def _boxed(engine: Engine, region_id: int) -> Boxed:
    image, region = engine.service().region(region_id)
    return Boxed(image, draw([region], TILE_LABELS), region.phrase)


def _before_the_line(result: SearchResult, *, beyond: bool) -> tuple[SearchResult, bool]:
    """The answer with what is likely relevant alone, and whether something lies behind the line."""
    if beyond or result.likely is None or all(hit.likely for hit in result.hits):
        return result, False
    return replace(result, hits=tuple(hit for hit in result.hits if hit.likely), more=False), True
