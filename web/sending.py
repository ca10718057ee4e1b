"""How answers travel: JSON of the API with an entity tag, texts compressed; media and streams as they are."""

from __future__ import annotations

import gzip
import hashlib

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.conditional import etag_matches

LEAST_BYTES = 1_000
"""A smaller answer gains nothing."""

MOST_BYTES = 32 * 1024 * 1024
_BESIDE_BYTES = 64 * 1024
"""What is larger is compressed in another thread, so that nobody else waits for it."""

_BY_PATH = "http.response.pathsend"
_LEVEL = 5
_COMPRESSED = ("application/json", "application/problem+json", "text/html", "text/css", "text/javascript",
               "application/javascript", "image/svg+xml")  # fmt: skip


class Sending:
    """Tags and compresses what is sent in one piece.

    Args:
        app: what lies inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        tagged = scope["method"] == "GET" and scope["path"].startswith("/api/")
        start: Message | None = None
        parts: list[bytes] = []

        async def send_better(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_text(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            more = message.get("more_body", False)
            if more and "content-length" not in Headers(raw=start["headers"]):  # a stream
                held, start = start, None
                await send(held)
                await send(message)
                return
            parts.append(message.get("body", b""))
            if not more:
                held, start = start, None
                for one in await _better(held, {**message, "body": b"".join(parts)}, asked, tagged=tagged):
                    await send(one)

        # A file that the server sent by its path would come past here.
        extensions = {name: what for name, what in (scope.get("extensions") or {}).items() if name != _BY_PATH}
        await self.app({**scope, "extensions": extensions}, receive, send_better)


async def _better(start: Message, message: Message, asked: Headers, *, tagged: bool) -> tuple[Message, Message]:
    body: bytes = message.get("body", b"")
    headers = MutableHeaders(raw=list(start["headers"]))
    is_json = headers.get("content-type", "").startswith("application/json")
    if tagged and is_json and start["status"] == 200 and "etag" not in headers:
        # Weak: compressed or not, it says the same.
        headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        if etag_matches(asked.get("if-none-match", ""), headers["ETag"]):
            del headers["content-length"], headers["content-type"]
            return {**start, "status": 304, "headers": headers.raw}, {**message, "body": b""}
    if LEAST_BYTES <= len(body) <= MOST_BYTES and "content-encoding" not in headers and start["status"] != 206:
        headers.add_vary_header("Accept-Encoding")
        if _takes_gzip(asked.get("accept-encoding", "")):
            beside = len(body) > _BESIDE_BYTES
            body = await run_in_threadpool(_packed, body) if beside else _packed(body)
            headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body))
            if headers.get("etag", "W/").startswith('"'):
                headers["ETag"] = "W/" + headers["etag"]
    return {**start, "headers": headers.raw}, {**message, "body": body}


def _is_text(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").partition(";")[0].strip() in _COMPRESSED


def _takes_gzip(accepted: str) -> bool:
    """Whether an `Accept-Encoding` header allows gzip (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accepted.split(","):
        name, _, parameter = part.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=")) if parameter.strip() else 1.0
        except ValueError:
            weight = 0.0
        weights[name.strip().lower()] = weight
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)
