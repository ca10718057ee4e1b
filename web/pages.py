"""The pages for people: start, results, one picture. Plain HTML that needs no script."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from search.errors import LibraryEmptyError
from search.looked import PictureAnswer
from search.query.deriving import is_sure
from search.results import Hit, ImageDetail, LibraryStatus, SearchRequest, SearchResult
from vision.grounding.errors import PromptError
from web.addresses import at
from web.deps import MAX_PAGE_HITS, Engine, EngineDep, ImageId, LikeId, RegionId
from web.errors import in_one_line, kind_of
from web.heat import gradient, shown_heat, suggested_parts
from web.looking import LookerDep, PictureLooker
from web.overlay import TILE_LABELS, VIEWER_LABELS, Overlay, draw, mark_phrases
from web.shown_facts import shown_facts
from web.templating import file_name, render
from web.uploads import decoded_uploads
from web.where import where_url

log = logging.getLogger(__name__)

HITS_PER_PAGE = 24
RECENT = 36
SUGGESTIONS = 5
_BOXES_PER_TILE = 6
_LINES = 300

PageHits = Annotated[int, Query(ge=1, le=MAX_PAGE_HITS)]
PageNumber = Annotated[int, Query(ge=1, le=1000)]

PageText = Annotated[str, Query(max_length=1000)]

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """Which part of an answer a page shows; `beyond` is what lies behind the line of what is likely relevant too."""

    k: PageHits = HITS_PER_PAGE
    page: PageNumber = 1
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of a gallery with what is drawn on it; `where` is the address of what is looked for once it is seen."""

    hit: Hit
    overlay: Overlay
    alt: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Boxed:
    """A box that more was asked of, on its picture."""

    image: ImageDetail
    overlay: Overlay
    phrase: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer, or with the reason why it cannot be put; `status` is the page's HTTP status."""

    question: str
    status: int
    said: PictureAnswer | None = None
    problem: str | None = None


@router.get("/")
def start(request: Request, engine: EngineDep) -> Response:
    """The search box over the pictures that came last, or what to do first when there are none."""
    try:
        service = engine.service()
        status = service.status()
        recent = service.recent(RECENT).hits
    except LibraryEmptyError:
        return RedirectResponse("/welcome", status_code=303)
    if not status.images:
        return RedirectResponse("/welcome", status_code=303)
    return render(
        request,
        "start.html",
        {"status": status, "tiles": _tiles(recent), "suggestions": _suggestions(engine, recent, status)},
    )


@router.get("/search")
def results(
    request: Request,
    engine: EngineDep,
    q: str = "",
    like: LikeId = None,
    region: RegionId = None,
    *,
    shown: Annotated[Shown, Depends()],
) -> Response:
    """Pictures for words, pictures like one of the library, or more of what a box shows."""
    k, page = shown.k, shown.page
    if like is None and region is None and not q.strip():
        return RedirectResponse(at("/"), status_code=303)
    text = q if q.strip() else None
    asked = SearchRequest(text=text, like_image_id=like, like_region_id=region, k=k, offset=(page - 1) * k)
    result, behind = _before_the_line(engine.search(asked), beyond=shown.beyond)
    shown_k = None if k == HITS_PER_PAGE else k
    return _results_page(
        request,
        result,
        {
            "q": q,
            "like": engine.service().image(like) if like is not None else None,
            "boxed": _boxed(engine, region) if region is not None else None,
            "links": {
                "q": text,
                "like": like,
                "region": region,
                "k": shown_k,
                "beyond": "true" if shown.beyond else None,
            },
            "tokens": _tokens(result) if text else [],
            "behind": behind,
            "nothing_likely": bool(text) and result.likely == 0 and page == 1,
            "page": page,
            "previous": page > 1,
            "next": result.more and page < 1000,
        },
        looked_for=q if text and engine.service().points_on_request else "",
    )


@router.post("/search")
def results_for_upload(
    request: Request,
    engine: EngineDep,
    image: Annotated[UploadFile, File()],
    q: Annotated[str, Form(max_length=1000)] = "",
    crop: Annotated[str, Form(max_length=100)] = "",
    k: PageHits = 2 * HITS_PER_PAGE,
) -> Response:
    """Pictures that look like an uploaded one or a part of it, with words if there are any; it is forgotten then."""
    name = file_name(image.filename or "your picture")
    pictures = decoded_uploads(engine, [image], [crop])
    result = engine.search(SearchRequest(text=q if q.strip() else None, pictures=pictures, k=k))
    context: dict[str, object] = {
        "q": q.strip(),
        "like": None,
        "boxed": None,
        "links": {},
        "tokens": [],
        "behind": False,
        "nothing_likely": False,
        "page": 1,
        "previous": False,
        "next": False,
    }
    return _results_page(request, result, {**context, "upload": name})


@router.get("/images/{image_id}")
async def picture(
    request: Request,
    engine: EngineDep,
    looker: LookerDep,
    image_id: ImageId,
    q: PageText = "",
    heat: PageText = "",
    ask: PageText = "",
) -> Response:
    """One picture, large, with every phrase that is known of it; on request where words are in it, or an answer."""
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    regions = [region for caption in detail.captions for region in caption.regions] + list(detail.regions)
    overlay = draw(regions, VIEWER_LABELS)
    answered = await _answered(looker, detail, ask) if ask else None
    context = {
        "q": q,
        "image": detail,
        "overlay": overlay,
        "captions": [(caption, mark_phrases(caption, overlay.things)) for caption in detail.captions],
        "alt": _alt_of(detail),
        "facts": shown_facts(detail.facts),
        "lines": detail.lines[:_LINES],
        "heat": await shown_heat(looker, detail, heat) if heat.strip() else None,
        "parts": suggested_parts(q) if q.strip() else [],
        "gradient": gradient(),
        "has_heat": engine.service().may_have_heat_maps,
        "asks": engine.answers,
        "answered": answered,
    }
    return render(request, "picture.html", context, status_code=answered.status if answered else 200)


async def _answered(looker: PictureLooker, detail: ImageDetail, question: str) -> Answered:
    try:
        said = await looker.ask(detail, question)
    except PromptError as error:  # said beside the form, where the question can be put right
        return Answered(question, kind_of(error).status, problem=in_one_line(error))
    return Answered(question, 200, said)


def _boxed(engine: Engine, region_id: int) -> Boxed:
    image, region = engine.service().region(region_id)
    return Boxed(image, draw([region], TILE_LABELS), region.phrase)


def _results_page(request: Request, result: SearchResult, context: dict[str, object], looked_for: str = "") -> Response:
    tiles = _tiles(result.hits, looked_for)
    return render(request, "results.html", {"upload": None, **context, "result": result, "tiles": tiles})


def _before_the_line(result: SearchResult, *, beyond: bool) -> tuple[SearchResult, bool]:
    """The answer with what is likely relevant alone, and whether something lies behind the line."""
    if beyond or result.likely is None or all(hit.likely for hit in result.hits):
        return result, False
    return replace(result, hits=tuple(hit for hit in result.hits if hit.likely), more=False), True


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A piece of the query as a page shows it; `rest` is the query without it."""

    kind: str
    text: str
    means: str
    rest: str


def _tokens(result: SearchResult) -> list[ShownToken]:
    """The pieces of a query that is more than words."""
    if len(result.tokens) < 2 and all(token.kind == "words" for token in result.tokens):
        return []
    shown: list[ShownToken] = []
    for token in result.tokens:
        rest = " ".join((result.query[: token.span.start] + result.query[token.span.end :]).split())
        shown.append(ShownToken(token.kind, token.text, token.means, rest))
    return shown


def _tiles(hits: tuple[Hit, ...], looked_for: str = "") -> list[Tile]:
    """Tiles of hits; `looked_for` is the query whose things are to be looked for where a sure hit has no box."""
    return [
        Tile(
            hit,
            draw(hit.regions[:_BOXES_PER_TILE], TILE_LABELS),
            _caption_of(hit),
            where_url(hit.image_id, looked_for, hit.sha256) if looked_for and is_sure(hit) else "",
        )
        for hit in hits
    ]


def _caption_of(hit: Hit) -> str:
    return hit.caption.text if hit.caption else file_name(hit.path)


def _alt_of(detail: ImageDetail) -> str:
    if detail.captions:
        return detail.captions[0].text
    return file_name(detail.files[0].path) if detail.files else "picture"


def _suggestions(engine: Engine, recent: tuple[Hit, ...], status: LibraryStatus | None) -> list[str]:
    """Phrases of recent pictures, as a person would type them: queries that are sure to find something."""
    if status is None or status.captions == 0:
        return []
    found: dict[str, str] = {}
    for hit in recent[: 2 * SUGGESTIONS]:
        detail = engine.service().image(hit.image_id)
        phrases = [region.phrase for caption in detail.captions for region in caption.regions]
        best = max((phrase for phrase in phrases if len(phrase) <= 40), key=len, default="")
        if best:
            found.setdefault(best.casefold(), _uncapitalised(best))
    return list(found.values())[:SUGGESTIONS]


def _uncapitalised(phrase: str) -> str:
    """Drop the capital of a phrase that began a sentence: "A train" becomes "a train", "Big Ben" stays."""
    first, _, rest = phrase.partition(" ")
    return f"{first.lower()} {rest}" if first in ("A", "An", "The", "Two", "Three") and rest else phrase
