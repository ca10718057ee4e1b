"""The language menu: a form that any browser can send, and a cookie that remembers it."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Query
from starlette.responses import RedirectResponse, Response

from web.languages import COOKIE

_YEAR_S = 365 * 24 * 3600

router = APIRouter(include_in_schema=False)


@router.get("/language")
def choose(
    to: Literal["en", "de", "es", "fr", "uk", "zh"], back: Annotated[str, Query(max_length=8000)] = "/"
) -> Response:
    """Remember a language and go back to the page that it was chosen on.

    It changes nothing but how pages look to this browser: hence a GET, which works on every page, errors included.
    """
    answer = RedirectResponse(_on_this_server(back), status_code=303)
    answer.set_cookie(COOKIE, to, max_age=_YEAR_S, httponly=True, samesite="lax")
    return answer


def _on_this_server(address: str) -> str:
    """An address of ours; the start page where it is not one.

    Browsers read `\\` as `/` and leave out tabs and line ends: neither may make another server's name of a path.
    """
    plain = address.isprintable() and "\\" not in address
    parts = urlsplit(address) if plain else None
    if parts is None or parts.scheme or parts.netloc or not address.startswith("/") or address.startswith("//"):
        return "/"
    return address
