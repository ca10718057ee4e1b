"""What the routes of the API share: how their problems are described, how unknown fields are refused, parameters."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.routing import APIRoute
from starlette.datastructures import FormData

from search.query.plan import MAX_QUERY_CHARS
from web.deps import known_parameters
from web.errors import PROBLEM_JSON, UnknownParameterError

Filters = Annotated[
    str | None,
    Query(
        alias="q",
        max_length=MAX_QUERY_CHARS,
        description="Filters of the query language; without words, for a list has no order of relevance.",
        examples=["date:2024 camera:canon"],
    ),
]
Cursor = Annotated[
    str | None,
    Query(
        max_length=2_000,
        description="From `next` of the page before: where this page begins. The other parameters stay the same.",
    ),
]
PageSize = Annotated[int, Query(ge=1, le=1_000, description="How many to return at most.")]


async def known_fields(request: Request) -> None:
    """Refuse fields of a form that a route does not have, as `known_parameters` refuses those of an address.

    Raises:
        UnknownParameterError: names those that there are.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute) or not request.headers.get("content-type", "").startswith("multipart/"):
        return
    known = sorted(field.alias for field in route.dependant.body_params)
    form: FormData = await request.form()  # read already, and kept
    unknown = sorted(set(form) - set(known))
    if unknown:
        raise UnknownParameterError(f"there is no field {unknown[0][:80]!r} here", remedy=f"Known: {', '.join(known)}.")


KNOWN = [Depends(known_parameters), Depends(known_fields)]
"""For every router of the API."""


def problems(**meanings: str) -> dict[int | str, dict[str, Any]]:
    """The problems of a route for OpenAPI: `s404="There is no such picture."`; with those that any route may have."""
    every = {
        "s400": "The request is malformed.",
        "s401": "A key is wanted.",
        "s403": "The key, or the page that asks, may not do this.",
        "s408": "The request took too long to arrive.",
        "s413": "The request is too large.",
        "s421": "This server does not answer to that name.",
        "s422": "A value is missing, out of range or not known.",
        "s429": "Too much was asked in too short a time; `Retry-After` says when to come again.",
        "s500": "The server or its library is damaged.",
        "s503": "Nothing has been indexed, something is missing or too much is asked at once.",
        "s507": "The disk is full.",
    }
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}}
    merged = every | meanings
    return {int(status[1:]): {"description": merged[status], "content": content} for status in sorted(merged)}
