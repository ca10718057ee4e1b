"""The library page: folders and where they are, what could not be read, what is still to be done, copies."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from search.duplicates import find_duplicates
from search.errors import LibraryEmptyError
from search.jobs.rows import list_jobs
from search.overview import overview, refusals
from web.addresses import at
from web.deps import EngineDep
from web.keeping.news import LISTED
from web.keeping.words import REACHES, REFUSALS, named
from web.templating import render

REFUSALS_PER_PAGE = 100
MAX_ROOTS = 200
MAX_GROUPS = 50

router = APIRouter(include_in_schema=False)


@router.get("/library")
def library(request: Request, engine: EngineDep) -> Response:
    """What the library holds, folder by folder."""
    try:
        found = overview(engine.library())
        unended = list_jobs(engine.library(), limit=LISTED, unended=True)
    except LibraryEmptyError:
        return RedirectResponse(at("/welcome"), status_code=303)
    refused = sum(root.refused for root in found.roots)
    busy = {job.kind for job in unended if job.state == "running" and not job.lost}
    uncaptioned = [one.of_images - one.images for one in found.pending.generations if not one.resting]
    context = {
        "roots": found.roots[:MAX_ROOTS],
        "more_roots": max(0, len(found.roots) - MAX_ROOTS),
        "indexed": sum(root.indexed for root in found.roots),
        "refused": refused,
        "missing": sum(root.missing for root in found.roots),
        "pending": found.pending,
        "model": found.model,
        "reaches": {key: named(REACHES, key) for key in REACHES},
        "indexing": "index" in busy,
        "captions_left": max(uncaptioned, default=0) if "caption" in busy else 0,
        "home": str(engine.settings.home),
    }
    return render(request, "library.html", context)


@router.get("/library/unreadable")
def unreadable(request: Request, engine: EngineDep, page: Annotated[int, Query(ge=1, le=100_000)] = 1) -> Response:
    """Files that could not be read, with reasons, and a way to try them again."""
    found, by_code = refusals(engine.library(), limit=REFUSALS_PER_PAGE + 1, offset=(page - 1) * REFUSALS_PER_PAGE)
    context = {
        "files": found[:REFUSALS_PER_PAGE],
        "more": len(found) > REFUSALS_PER_PAGE,
        "page": page,
        "codes": [(named(REFUSALS, code), count) for code, count in by_code.items()],
        "total": sum(by_code.values()),
        "reasons": REFUSALS,
    }
    return render(request, "unreadable.html", context)


@router.get("/library/duplicates")
def duplicates(request: Request, engine: EngineDep) -> Response:
    """Files that show one picture, those with most spare bytes first; nothing is deleted here."""
    found = find_duplicates(engine.library(), limit=MAX_GROUPS)
    return render(request, "duplicates.html", {"found": found})
