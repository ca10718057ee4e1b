"""The gate: who asks, whether they may, whether a page of theirs made them, and how often they do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from search import keys
from search.keys import LiveKey, match_key
from vision.errors import DeixisError
from web.access.caller import Caller, Kind, now_asks
from web.access.keyring import KeyRing
from web.access.origins import is_foreign
from web.access.peers import peer_of
from web.access.rates import Buckets
from web.access.rules import Rule, rule_for
from web.access.sessions import COOKIE, Sessions
from web.access.standing import Rules, Standing
from web.addresses import at
from web.admission.costs import Cost
from web.errors import ACCESS_KINDS, domain_error_response, is_for_people, problem_response
from web.methods import is_answered

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="deixis"'}
MAX_USER = 200

RuleOf: TypeAlias = Callable[[Request], Rule]


class RefusedError(Exception):
    """The gate stays shut; holds the answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class Gate:
    """Lets through who may, and tells the routes who it is (`web.access.caller.asking`).

    Args:
        app: what lies inside.
        rules: the settings of access.
        ring: the living keys.
        sessions: of browsers.
        show_paths: whether everybody is told where files lie.
        rule_of: what a request needs; None for the table of the pages and the API.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: Rules,
        ring: KeyRing,
        sessions: Sessions,
        *,
        show_paths: bool,
        rule_of: RuleOf | None = None,
    ) -> None:
        self.app = app
        self.rules = rules
        self.ring = ring
        self.sessions = sessions
        self.show_paths = show_paths
        self.rule_of = rule_of or _rule_of
        self.has_pages = rule_of is None
        self.buckets = Buckets(rules.rates)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        try:
            rule = self.rule_of(request)
            if is_foreign(request, rule, self.rules.origins):
                raise _refused(request, "foreign", "A page of another site has asked for this; open it here instead.")
            caller = Caller(bucket=peer_of(scope).bucket) if rule.rate == "free" else await self._caller(request)
            now_asks(caller)
            self._require(request, caller, rule)
            self._count(request, caller, rule)
        except RefusedError as refused:
            await refused.answer(scope, receive, send)
        except DeixisError as error:
            await domain_error_response(request, error)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _caller(self, request: Request) -> Caller:
        """Who asks.

        Raises:
            RefusedError: it gives a key that opens nothing.
            DeixisError: keys cannot be read.
        """
        peer, standing = peer_of(request.scope), self.rules.standing
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and given.strip().startswith(keys.PREFIX):
            key = match_key(await self.ring.living(), given.strip())
            if key is None:
                challenge = {"WWW-Authenticate": _CHALLENGE["WWW-Authenticate"] + ', error="invalid_token"'}
                raise _refused(request, "key", "This key opens nothing; perhaps it has ended.", headers=challenge)
            return self._of_key("key", key)
        if standing is not Standing.GUARDED and peer.is_here:
            return Caller("local", "this machine", keys.Scope.ADMIN, sees_paths=True)
        if COOKIE in request.cookies:
            opened = self.sessions.read(request.cookies[COOKIE])
            for key in () if opened is None else await self.ring.living():
                if opened is not None and opened.is_of(key) and key.is_valid():
                    return self._of_key("session", key, opened.name)
        user = request.headers.get(self.rules.user_header, "").strip() if self.rules.user_header else ""
        if peer.trusted and 0 < len(user) <= MAX_USER:
            scope = self.rules.user_scope
            sees = self.show_paths or scope is keys.Scope.ADMIN
            return Caller("user", user, scope, f"user {user}", f"user {user}", sees_paths=sees)
        if standing is Standing.OPEN:
            return Caller("open", peer.bucket, keys.Scope.SEARCH, peer.bucket, sees_paths=self.show_paths)
        return Caller(bucket=peer.bucket)

    def _of_key(self, kind: Kind, key: LiveKey, session: str = "") -> Caller:
        self.ring.note(key)
        sees = self.show_paths or key.scope is keys.Scope.ADMIN
        return Caller(kind, key.name, key.scope, f"key {key.id}", session, sees_paths=sees)

    def _require(self, request: Request, caller: Caller, rule: Rule) -> None:
        if caller.may(rule.scope):
            return
        assert rule.scope is not None  # or anybody may
        if caller.scope is not None:
            detail = f"This needs the scope {rule.scope.word}; {caller.name} has {caller.scope.word}."
            raise _refused(request, "scope", detail, remedy="Ask with another key (`deixis keys add --scope`).")
        if self.rules.standing is Standing.LOCAL:
            raise _refused(
                request,
                "elsewhere",
                "This server answers this machine alone, and the request comes from elsewhere or through a proxy.",
                remedy="Name the proxy with --trusted-proxies, and say who may ask: docs/access.md.",
            )
        if self.has_pages and request.method == "GET" and is_for_people(request):
            path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            sign_in = at("/sign-in?") + urlencode({"next": path})
            raise RefusedError(RedirectResponse(sign_in, 303, {"Cache-Control": "no-store"}))
        remedy = "Send `Authorization: Bearer KEY`, or sign in; `deixis keys add` makes a key."
        raise _refused(request, "key", "This needs a key.", remedy=remedy, headers=_CHALLENGE)

    def _count(self, request: Request, caller: Caller, rule: Rule) -> None:
        wait_s = self.buckets.wait_s(caller.bucket, rule.rate)
        if wait_s > 0:
            after = {"Retry-After": str(math.ceil(wait_s))}
            detail = f"Too many requests of the kind {rule.rate}; the next one is answered in {math.ceil(wait_s)} s."
            raise _refused(request, "rate", detail, headers=after)


def _rule_of(request: Request) -> Rule:
    path, method = request.scope["path"], request.method
    rule = rule_for(method, path)
    if rule is not None:
        return rule.given(request.query_params.keys())
    if is_answered(request, method):  # forgotten in the table: for nobody but who may do everything
        return Rule(method, path, keys.Scope.ADMIN, Cost.UPLOAD)
    return Rule(method, path, keys.Scope.READ, Cost.READ)  # nothing is there, which is not everybody's to know


def _refused(
    request: Request, kind: str, detail: str, *, remedy: str | None = None, headers: Mapping[str, str] | None = None
) -> RefusedError:
    return RefusedError(
        problem_response(request, ACCESS_KINDS[kind], detail, extra={"remedy": remedy}, headers=headers)
    )
