"""What every route costs: the one table, by which a request finds its lane before a thread or a core is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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


@dataclass(frozen=True, slots=True)
class Charged:
    """What a route costs.

    Attributes:
        cost: ordinarily.
        where: what it costs where a query parameter of this name is not empty; the last that applies counts.
    """

    cost: Cost
    where: Mapping[str, Cost]


def _charged(cost: Cost, **where: Cost) -> Charged:
    return Charged(cost, where)


COSTS: Mapping[tuple[str, str], Charged] = {
    ("GET", "/healthz"): _charged(Cost.STATIC),
    ("GET", "/readyz"): _charged(Cost.STATIC),
    ("GET", "/metrics"): _charged(Cost.STATIC),
    ("GET", "/static/{path:path}"): _charged(Cost.STATIC),
    ("GET", "/api/v1/openapi.json"): _charged(Cost.STATIC),
    ("GET", "/"): _charged(Cost.READ),
    ("GET", "/search"): _charged(Cost.SEARCH),
    ("POST", "/search"): _charged(Cost.UPLOAD),
    ("GET", "/images/{image_id}"): _charged(Cost.READ, heat=Cost.LOOK, ask=Cost.ASK),
    ("GET", "/api/v1/search"): _charged(Cost.SEARCH),
    ("POST", "/api/v1/search"): _charged(Cost.UPLOAD),
    ("POST", "/api/v1/query"): _charged(Cost.SEARCH),
    ("GET", "/api/v1/images/{image_id}"): _charged(Cost.READ),
    ("GET", "/api/v1/images/{image_id}/heatmap"): _charged(Cost.LOOK),
    ("GET", "/api/v1/images/{image_id}/ask"): _charged(Cost.ASK),
    ("GET", "/media/{image_id}/gallery.webp"): _charged(Cost.PICTURE),
    ("GET", "/media/{image_id}/page.webp"): _charged(Cost.PICTURE),
    ("GET", "/media/{image_id}/original"): _charged(Cost.PICTURE),
    ("GET", "/media/{image_id}/heat.png"): _charged(Cost.LOOK),
    ("GET", "/media/{image_id}/where.svg"): _charged(Cost.LOOK),
}
"""Method and path of every route; HEAD costs what GET does. A test holds it complete."""

UNKNOWN = Charged(Cost.READ, {})
"""What an address costs that no route has: an error page is a page."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a request asks for: the path as its route has it, for logs and figures, and its cost."""

    path: str
    cost: Cost


class Tariff:
    """Finds what a request costs.

    Args:
        costs: by method and path.
    """

    def __init__(self, costs: Mapping[tuple[str, str], Charged] = COSTS) -> None:
        self._plain = {key: charged for key, charged in costs.items() if "{" not in key[1]}
        self._patterns = [
            (method, path, _pattern(path), charged) for (method, path), charged in costs.items() if "{" in path
        ]

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
        for known, template, pattern, charged in self._patterns:
            if known == method and pattern.fullmatch(path):
                return Route(template, _cost(charged, query))
        return Route("-", UNKNOWN.cost)


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
