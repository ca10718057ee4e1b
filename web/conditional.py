"""Answers that a client need not fetch again, or only in part: entity tags and ranges (RFC 9110, 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import Header, Request
from starlette.responses import Response

from web.errors import HTTP_KINDS, problem_response

FOREVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"

IfNoneMatch = Annotated[
    str, Header(alias="If-None-Match", max_length=2_000, description="Entity tags of what the client has.")
]

_ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*")


def etag_matches(if_none_match: str, etag: str) -> bool:
    """Whether an `If-None-Match` header names this entity tag (RFC 9110, 13.1.2: weak comparison)."""
    given = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in given or etag.removeprefix("W/") in given


def cached(etag: str, *, lasting: bool) -> dict[str, str]:
    """The headers of what may be kept: for good where the address holds its content, else to be asked for again."""
    return {"ETag": etag, "Cache-Control": FOREVER if lasting else ASK_AGAIN}


def not_modified(if_none_match: str, headers: Mapping[str, str]) -> Response | None:
    """The answer to a client that has the current form already; None where it has not."""
    return Response(status_code=304, headers=dict(headers)) if etag_matches(if_none_match, headers["ETag"]) else None


def wanted_range(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte, both included, of the one range that is asked for; None for the whole.

    Several ranges, other units and what cannot be read are answered with the whole, as RFC 9110 allows; so is a range
    of another form than this (`If-Range`).

    Raises:
        IndexError: the range lies outside.
    """
    said, of = request.headers.get("range", ""), request.headers.get("if-range", etag)
    match = _ONE_RANGE.fullmatch(said)
    if match is None or of != etag or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last so many
        length = min(int(match[2]), size)
        first, last = size - length, size - 1
    else:
        first, last = int(match[1]), min(int(match[2]), size - 1) if match[2] else size - 1
        if match[2] and int(match[2]) < first:
            return None  # no range at all
    if first >= size or last < first:
        raise IndexError(said)
    return first, last


def out_of_range(request: Request, size: int) -> Response:
    """The problem of a range that lies outside."""
    detail = f"The file has {size:,} bytes."
    return problem_response(request, HTTP_KINDS[416], detail, headers={"Content-Range": f"bytes */{size}"})


def ranged(request: Request, data: bytes, media_type: str, headers: Mapping[str, str]) -> Response:
    """Bytes that are at hand, whole or the range that is asked for; `headers` has their `ETag`."""
    try:
        wanted = wanted_range(request, len(data), headers["ETag"])
    except IndexError:
        return out_of_range(request, len(data))
    sent = {**headers, "Accept-Ranges": "bytes"}
    if wanted is None:
        return Response(data, media_type=media_type, headers=sent)
    first, last = wanted
    sent["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Response(data[first : last + 1], 206, media_type=media_type, headers=sent)
