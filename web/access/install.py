"""Puts the gate and what belongs to it around the application."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from search.settings import Settings
from web.access import signin
from web.access.gate import Gate, RuleOf
from web.access.hosts import HeadLimits, NamedHosts
from web.access.keyring import KeyRing
from web.access.peers import Forwarded
from web.access.sessions import Sessions
from web.access.standing import EVERYWHERE, own_names, read_rules
from web.methods import METHODS

_SENT = ("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Range")
_TOLD = ("ETag", "Retry-After", "Content-Range", "Location", "WWW-Authenticate", "X-Request-ID")


def install_gate(app: FastAPI, settings: Settings) -> None:
    """Let only who may reach what was added before.

    Raises:
        SettingsError: a setting of access makes no sense.
    """
    ring = app.state.key_ring = KeyRing(settings)
    sessions = app.state.sessions = Sessions(settings.home)
    app.include_router(signin.router)
    install_guards(app, settings, ring, sessions)


def install_guards(
    app: Starlette, settings: Settings, ring: KeyRing, sessions: Sessions, *, rule_of: RuleOf | None = None
) -> None:
    """The same for an application without pages; `rule_of` as the gate takes it.

    Raises:
        SettingsError: a setting of access makes no sense.
    """
    rules = read_rules(settings)
    app.add_middleware(
        Gate, rules=rules, ring=ring, sessions=sessions, show_paths=settings.show_paths == 1, rule_of=rule_of
    )
    if rules.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(rules.origins),
            allow_methods=METHODS,
            allow_headers=_SENT,
            expose_headers=_TOLD,
        )
    app.add_middleware(NamedHosts, names=own_names(settings), everywhere=settings.host in EVERYWHERE)
    app.add_middleware(HeadLimits)


def install_proxies(app: Starlette, settings: Settings) -> None:
    """Let everything inside see the client's own address, scheme, host and path; to be added last."""
    rules = read_rules(settings)
    app.add_middleware(Forwarded, proxies=rules.proxies, root_path=rules.root_path)
