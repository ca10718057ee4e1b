"""Where the server's own addresses begin: below a path, where a proxy has put it there."""

from __future__ import annotations

from contextvars import ContextVar

_PREFIX: ContextVar[str] = ContextVar("prefix", default="")


def at(path: str) -> str:
    """The address of one of our paths as whoever asks now must write it.

    Args:
        path: as the routes have it, with its query, beginning with `/`.
    """
    return _PREFIX.get() + path


def use_prefix(prefix: str) -> None:
    """Let addresses of the request that is being answered begin so: nothing, or `/pictures`."""
    _PREFIX.set(prefix)
