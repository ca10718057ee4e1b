"""Refuses requests for somebody else, and heads that no browser of a person sends."""

from __future__ import annotations

import ipaddress
from collections.abc import Set as AbstractSet
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from web.access.peers import peer_of
from web.errors import HTTP_KINDS, problem_response

MAX_TARGET_BYTES = 16_384
MAX_HEADERS = 90
"""The server program itself refuses more than 100, with an empty answer."""

MAX_HEADER_BYTES = 65_536


class NamedHosts:
    """Refuses requests whose Host header names somebody else.

    A web page that points its own host name at this server (DNS rebinding) could otherwise read a private library
    through the browser of somebody who may. Names of this machine alone count only for who is on it; a literal
    address is nobody's host name.

    Args:
        app: what lies inside.
        names: of this server, lower case, without port or brackets; `*` allows any.
        everywhere: whether it listens on every address of the machine.
    """

    def __init__(self, app: ASGIApp, names: AbstractSet[str], *, everywhere: bool) -> None:
        self.app = app
        self.names = names
        self.everywhere = everywhere

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        # Styles are everybody's: the page that says what is wrong is to look like one.
        if scope["type"] != "http" or "*" in self.names or scope["path"].startswith("/static/"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = _host_name(headers.get("host", ""))
        if self._is_ours(host, scope, headers):
            await self.app(scope, receive, send)
            return
        detail = f"Host {host or 'without a name'!r} is not one of this server's names."
        remedy = "Set DEIXIS_ALLOWED_HOSTS (--allowed-hosts) to the names by which people reach it, comma-separated."
        # An address cannot be built from theirs.
        kept = [(b"host", b"localhost"), *((name, value) for name, value in scope["headers"] if name == b"accept")]
        request = Request({**scope, "headers": kept})
        await problem_response(request, HTTP_KINDS[421], detail, extra={"remedy": remedy})(scope, receive, send)

    def _is_ours(self, host: str, scope: Scope, headers: Headers) -> bool:
        if host in self.names:
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            address = None
        if host == "localhost" or (address is not None and address.is_loopback):
            peer = peer_of(scope)
            # A proxy that names no host of its client's has chosen this one itself.
            return peer.is_here or (peer.trusted and "x-forwarded-host" not in headers)
        return self.everywhere and address is not None


class HeadLimits:
    """Refuses long addresses and many headers with an answer that says so.

    Args:
        app: what lies inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] == "http":
            target = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
            headers = scope["headers"]
            found = None
            if target > MAX_TARGET_BYTES:
                found = 414, f"An address has {MAX_TARGET_BYTES:,} bytes at most."
            elif (
                len(headers) > MAX_HEADERS or sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES
            ):
                found = 431, f"A request has {MAX_HEADERS} headers of {MAX_HEADER_BYTES:,} bytes at most."
            if found is not None:
                request = Request({**scope, "path": scope["path"][:200], "query_string": b""})
                await problem_response(request, HTTP_KINDS[found[0]], found[1])(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _host_name(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
