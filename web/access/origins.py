"""Whether a page of another site has made a browser ask."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

from starlette.requests import Request

from web.access.rules import Rule

SAFE = frozenset(["GET", "HEAD", "OPTIONS"])


def is_foreign(request: Request, rule: Rule, origins: AbstractSet[str]) -> bool:
    """Whether a request that changes or costs something comes from a page that is not ours.

    A browser says so in `Sec-Fetch-Site` (to https and to this machine), else in `Origin` or `Referer`. Programs
    say nothing, and have no keys of somebody else's browser.

    Args:
        request: what was asked.
        rule: of its route.
        origins: of other pages that may ask.
    """
    if request.method in SAFE and rule.rate not in ("search", "costly", "write"):
        return False
    headers = request.headers
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is not None and origin.lower() in origins:
        return False
    if site is not None:
        foreign = site.lower() not in ("same-origin", "none")
    elif origin is not None:
        foreign = not _is_ours(request, origin)
    else:
        foreign = "referer" in headers and not _is_ours(request, headers["referer"])
    return foreign and not (rule.page and request.method in SAFE and _is_link(request))


def _is_link(request: Request) -> bool:
    """Whether a browser goes to the page itself, as by a link, rather than loading it for another."""
    headers = request.headers
    return (
        headers.get("sec-fetch-mode", "navigate") == "navigate"
        and headers.get("sec-fetch-dest", "document") == "document"
        and "origin" not in headers
    )


def _is_ours(request: Request, address: str) -> bool:
    ours, theirs = _place(f"//{request.headers.get('host', '')}"), _place(address)
    return theirs is not None and theirs == ours


def _place(address: str) -> tuple[str, int | None] | None:
    """Host and port; usual ports are left out, for a proxy may speak another scheme than the browser."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    return (parts.hostname, None if port in (80, 443) else port) if parts.hostname else None
