"""One finding of `deixis doctor`."""

from __future__ import annotations

from dataclasses import dataclass

OK, WARNING, WRONG = "ok", "warning", "wrong"


@dataclass(frozen=True, slots=True)
class Check:
    """What was found.

    Attributes:
        name: what was looked at.
        state: `ok`, `warning` (it works, with a drawback) or `wrong`.
        said: the fact.
        remedy: what to do about it; empty where nothing is to be done.
    """

    name: str
    state: str
    said: str
    remedy: str = ""


def ok(name: str, said: str) -> Check:
    """All is well."""
    return Check(name, OK, said)


def warn(name: str, said: str, remedy: str) -> Check:
    """It works, with a drawback."""
    return Check(name, WARNING, said, remedy)


def wrong(name: str, said: str, remedy: str) -> Check:
    """It does not work."""
    return Check(name, WRONG, said, remedy)
