"""The sign-in page: a key begins a session of a browser, and forms prove that they are ours."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from search.keys import match_key
from web.access.caller import asking
from web.access.keyring import KeyRing
from web.access.origins import SAFE
from web.access.sessions import COOKIE, FIELD, HEADER, SESSION_S, Sessions
from web.addresses import at
from web.errors import TokenMissingError
from web.languages import gettext
from web.templating import render

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
async def sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002  # as the address has it
    """Where a key is pasted; for who is signed in, where they sign out."""
    return _page(request, next)


@router.post("/sign-in")
async def begin(
    request: Request,
    key: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form(max_length=4000)] = "/",  # noqa: A002  # as the form has it
) -> Response:
    """Begin a session, and go where the visitor was going."""
    ring: KeyRing = request.app.state.key_ring
    sessions: Sessions = request.app.state.sessions
    found = match_key(await ring.living(), key.strip())
    if found is None:
        return _page(request, next, gettext("This is no key of this server, or it has ended."), 401)
    ring.note(found)
    response = RedirectResponse(at(_inside(next)), 303, {"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE,
        sessions.begin(found),
        max_age=SESSION_S,
        path=at("/"),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return response


@router.post("/sign-out")
async def end(request: Request) -> Response:
    """End this browser's session."""
    response = RedirectResponse(at("/sign-in"), 303, {"Cache-Control": "no-store"})
    response.delete_cookie(COOKIE, path=at("/"), httponly=True, samesite="lax")
    return response


async def check_token(request: Request) -> None:
    """Insist on a token where a browser sends its session along by itself; keys and programs need none.

    Raises:
        TokenMissingError: there is none, or it is not this session's.
    """
    session = asking().session
    if request.method in SAFE or not session:
        return
    token = request.headers.get(HEADER, "")
    if not token and request.headers.get("content-type", "").partition(";")[0].strip().lower() in _FORMS:
        field = (await request.form()).get(FIELD, "")  # read already: the framework keeps it
        token = field if isinstance(field, str) else ""
    sessions: Sessions = request.app.state.sessions
    if not sessions.is_token(token, session):
        raise TokenMissingError(
            "the request does not prove that a page of this server has sent it, or that page was open for too long",
            remedy=f"Load the page again. Scripts send its token as {HEADER}; programs ask with a key.",
        )


def _page(request: Request, following: str, problem: str = "", status: int = 200) -> Response:
    context = {"next": _inside(following), "problem": problem, "caller": asking()}
    return render(request, "sign_in.html", context, status_code=status, headers={"Cache-Control": "no-store"})


def _inside(address: str) -> str:
    """An address of this server and of no other; `//elsewhere` and `/\\elsewhere` lead away."""
    is_ours = address.startswith("/") and address[1:2] not in ("/", "\\") and address.isprintable()
    return address if is_ours else "/"
