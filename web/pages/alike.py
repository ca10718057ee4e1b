"""Pictures like one of the library, those that are nearly the same apart: a page of its own, or part of another."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from search.near_copies import near_copies
from search.results import SearchRequest
from web.deps import EngineDep, ImageId
from web.pages.tiles import tiles_of
from web.templating import render

MOST = 12
_ASKED = 60
"""Hits among which pictures that are nearly the same are looked for: they are the likest of all."""

router = APIRouter(include_in_schema=False)


@router.get("/images/{image_id}/alike")
def alike(request: Request, engine: EngineDep, image_id: ImageId) -> Response:
    """The likest pictures, and those that are nearly the same."""
    service = engine.service()
    detail = service.image(image_id)
    hits = engine.search(SearchRequest(like_image_id=image_id, k=_ASKED)).hits
    near = service.look(lambda session: near_copies(session, image_id, [hit.image_id for hit in hits]))
    copies = tiles_of(engine, [hit for hit in hits if hit.image_id in near])
    others = tiles_of(engine, [hit for hit in hits if hit.image_id not in near][:MOST])
    return render(
        request, "alike.html", {"image": detail, "copies": copies, "others": others, "leads": {"like": image_id}}
    )
