"""The access log: a line for every request, with its number, and never with what was searched for."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.admission.gate import Gate
from web.admission.visits import Visit
from web.logs import request_id

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_SANE = re.compile(rb"[A-Za-z0-9._=+/:-]{1,64}")
CLIENT_LEFT = 499
"""Stands for the status where a client left before it had an answer."""


class AccessLog:
    """Numbers every request, says the number in the answer, and logs the request when it is over.

    The number is the client's own (`X-Request-ID`) where that is of plain signs and short, else a new one. The query
    string is not logged: it holds what people search for.

    Args:
        app: what lies inside.
        gate: counts the answers.
    """

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        now = asyncio.get_running_loop().time
        number, status, sent_bytes = _number(scope), 0, 0
        state = scope.setdefault("state", {})
        arrived = state["arrived"] = now()

        async def send_counted(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = number
            elif message["type"] == "http.response.body":
                sent_bytes += len(message.get("body", b""))
            await send(message)

        token = request_id.set(number)
        try:
            await self.app(scope, receive, send_counted)
        finally:
            visit: Visit | None = state.get("visit")
            self._log(scope, visit, status or CLIENT_LEFT, sent_bytes, now() - arrived)
            request_id.reset(token)

    def _log(self, scope: Scope, visit: Visit | None, status: int, sent_bytes: int, took_s: float) -> None:
        cost = "-" if visit is None else visit.route.cost.value
        self.gate.answered[cost, status] += 1
        if not log.isEnabledFor(logging.INFO):
            return
        facts: dict[str, object] = {
            "client": (scope.get("client") or ("-",))[0],
            "method": scope["method"],
            "path": scope["path"],
            "route": "-" if visit is None else visit.route.path,
            "cost": cost,
            "status": status,
            "bytes": sent_bytes,
            "took_ms": round(1000 * took_s, 1),
            "waited_ms": 0.0 if visit is None else round(1000 * visit.waited_s, 1),
            "shed": "" if visit is None else visit.shed,
        }
        line = (
            "%(client)s %(method)s %(path)s %(status)s %(bytes)s B %(took_ms)s ms, waited %(waited_ms)s ms in %(cost)s"
        )
        if facts["shed"]:
            line += ": %(shed)s"
        log.info(line, facts, extra={"access": facts})


def _number(scope: Scope) -> str:
    given: bytes = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _SANE.fullmatch(given) else secrets.token_hex(8)
