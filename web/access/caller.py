"""Who asks: known to every route of the request that is being answered."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from search.keys import Scope

Kind = Literal["local", "open", "key", "session", "user", "nobody"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        kind: how we know: this machine, a server that is open, a key, a session that a key began, a trusted proxy.
        name: for people.
        scope: what it may do; None for nothing but what needs no key.
        bucket: whose requests its own are counted with; empty where none are.
        session: what its tokens are bound to; empty where it needs none.
        sees_paths: whether it is told where files lie.
    """

    kind: Kind = "nobody"
    name: str = ""
    scope: Scope | None = None
    bucket: str = ""
    session: str = ""
    sees_paths: bool = False

    def may(self, scope: Scope | None) -> bool:
        """Whether it may do what needs this scope."""
        return scope is None or (self.scope is not None and self.scope >= scope)


NOBODY = Caller()

_ASKING: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def asking() -> Caller:
    """Who asks now; nobody outside a request."""
    return _ASKING.get()


def now_asks(caller: Caller) -> None:
    """Let the request that is being answered be this one's."""
    _ASKING.set(caller)


def may_see_paths() -> bool:
    """Whether whoever asks is told where files lie, or their names alone."""
    return asking().sees_paths
