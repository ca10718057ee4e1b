"""What a request costs: by this it finds its lane before a thread or a core is taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from urllib.parse import parse_qsl


class Cost(StrEnum):
    """Kinds of work that get in each other's way and not in that of other kinds."""

    STATIC = "static"
    """Files of the page, health, readiness, metrics: never wait."""
    READ = "read"
    """Rows of the database, and pages made of them."""
    PICTURE = "picture"
    """Previews, which may have to be made, and originals."""
    SEARCH = "search"
    """Words, or pictures of the library, compared with the library."""
    LOOK = "look"
    """The encoder looks into one picture."""
    ASK = "ask"
    """The captioner answers."""
    UPLOAD = "upload"
    """Foreign pictures are received, decoded and embedded."""


class Charged(Protocol):
    """What is said of a route in the table of routes.

    Attributes:
        cost: what it costs ordinarily.
        where: what it costs where a query parameter of this name is not empty; the last that applies counts.
    """

    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def path(self) -> str: ...  # noqa: D102
    @property
    def cost(self) -> Cost: ...  # noqa: D102
    @property
    def where(self) -> Mapping[str, Cost]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for: the path as its route has it, for logs and figures, and its cost."""

    path: str
    cost: Cost


class Tariff:
    """Finds what a request costs.

    Args:
        rules: every route; the first that fits counts.
    """

    def __init__(self, rules: Iterable[Charged]) -> None:
        self._plain: dict[tuple[str, str], Charged] = {}
        self._patterns: list[tuple[re.Pattern[str], Charged]] = []
        for rule in rules:
            if "{" in rule.path:
                self._patterns.append((_pattern(rule.path), rule))
            else:
                self._plain[rule.method, rule.path] = rule

    def of(self, method: str, path: str, query: bytes) -> Route:
        """What this request asks for, known from its first line alone.

        Args:
            method: HTTP method.
            path: decoded, without the part under which the application is mounted.
            query: the raw query string.
        """
        method = "GET" if method == "HEAD" else method
        plain = self._plain.get((method, path))
        if plain is not None:
            return Route(path, _cost(plain, query))
        for pattern, charged in self._patterns:
            if charged.method == method and pattern.fullmatch(path):
                return Route(charged.path, _cost(charged, query))
        return Route("-", Cost.READ)  # an error page is a page


def _cost(charged: Charged, query: bytes) -> Cost:
    if not charged.where:
        return charged.cost
    given = {name for name, value in parse_qsl(query.decode("latin-1")) if value.strip()}
    return next((cost for name, cost in reversed([*charged.where.items()]) if name in given), charged.cost)


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+(?::path)?\})", path)
    return re.compile(
        "".join(
            (".*" if part.endswith(":path}") else "[^/]+") if part[:1] == "{" else re.escape(part) for part in parts
        ),
        re.DOTALL,
    )
