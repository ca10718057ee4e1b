"""What surrounds every request: security headers, limits on what is received, HEAD, the last error net."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import internal_error_response

SECURITY_HEADERS: Final = {
    # Scripts from files of ours alone, none inside a page: a file name or caption that slips through autoescaping
    # can then still neither run, nor load, nor send anything elsewhere. `blob:` is a picture before it is uploaded.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' blob:; style-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Queries and file names stay out of other sites' logs. With `no-referrer`, our own forms came from `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Adds `SECURITY_HEADERS` to every response, the error net's included, and answers HEAD as GET without a body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_head = scope["method"] == "HEAD"
        inner_scope = {**scope, "method": "GET"} if is_head else scope

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, no-cache")
            elif is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app(inner_scope, receive, send_guarded)


class ErrorNet:
    """Turns what no handler caught into a problem: logged in full, told in brief.

    Starlette has such a net, but outside of all middleware, where its answer would lack the security headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_watched)
        except Exception as error:
            response = internal_error_response(Request(scope), error)
            if started:
                raise  # half an answer is out: only closing the connection tells the client
            await response(scope, receive, send)


class ReceiveLimits:
    """Bounds the body of a request in bytes and in time.

    Args:
        app: what lies inside; it sees an `HTTPException` (413 or 408) where it reads the body.
        max_bytes: of the whole body.
        deadline_s: seconds from the request's start in which its whole body must arrive.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, deadline_s: float) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.deadline_s = deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        too_large = HTTPException(413, f"The request may hold {self.max_bytes:,} bytes at most.")
        deadline = asyncio.get_running_loop().time() + self.deadline_s
        received, ended = 0, False

        async def receive_bounded() -> Message:
            nonlocal received, ended
            if ended:
                return await receive()  # waits for the client to leave, however long that takes
            if declared.isdecimal() and int(declared) > self.max_bytes:
                raise too_large
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                detail = f"The request must arrive within {self.deadline_s:g} seconds."
                raise HTTPException(408, detail, headers={"Connection": "close"}) from error
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                raise too_large
            ended = not message.get("more_body", False)
            return message

        await self.app(scope, receive_bounded, send)
