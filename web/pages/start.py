"""The start page: the search box over the pictures that came last, or what to do first."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from search.errors import LibraryEmptyError
from search.results import Hit, LibraryStatus
from web.addresses import at
from web.deps import Engine, EngineDep
from web.pages.tiles import tiles_of
from web.templating import render

RECENT = 36
SUGGESTIONS = 5

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(request: Request, engine: EngineDep) -> Response:
    """The search box over the pictures that came last, or what to do first when there are none."""
    try:
        service = engine.service()
        status = service.status()
        recent = service.recent(RECENT).hits
        tiles = tiles_of(engine, recent)
    except LibraryEmptyError:
        return RedirectResponse(at("/welcome"), status_code=303)
    if not status.images:
        return RedirectResponse(at("/welcome"), status_code=303)
    return render(
        request,
        "start.html",
        {"status": status, "tiles": tiles, "suggestions": _suggestions(engine, recent, status)},
    )


def _suggestions(engine: Engine, recent: tuple[Hit, ...], status: LibraryStatus) -> list[str]:
    """Phrases of recent pictures, as a person would type them: queries that are sure to find something."""
    if status.captions == 0:
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
