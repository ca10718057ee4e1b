"""What each route needs: the one table of scopes and costs, and which routes other sites may lead to."""

from __future__ import annotations

import functools
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from starlette.routing import compile_path

from search.keys import Scope
from web.access.rates import Cost


@dataclass(frozen=True, slots=True)
class Rule:
    """What one route needs.

    Attributes:
        method: GET stands for HEAD too.
        path: as the route has it.
        scope: None where no key is needed.
        cost: how it counts against the caller's rate.
        page: whether it is a page, to which links of other sites may lead.
        costly_with: parameters of the query with which it costs, and needs, as much as a question.
    """

    method: str
    path: str
    scope: Scope | None
    cost: Cost
    page: bool = False
    costly_with: tuple[str, ...] = ()

    def given(self, parameters: AbstractSet[str]) -> Rule:
        """The rule for a request with these parameters."""
        if parameters.isdisjoint(self.costly_with):
            return self
        return Rule(self.method, self.path, Scope.SEARCH, "costly")


RULES: tuple[Rule, ...] = (
    # Pages
    Rule("GET", "/", Scope.READ, "read", page=True),
    Rule("GET", "/search", Scope.SEARCH, "search", page=True),
    Rule("POST", "/search", Scope.SEARCH, "costly"),
    Rule("GET", "/images/{image_id}", Scope.READ, "read", page=True, costly_with=("heat", "ask")),
    Rule("GET", "/language", None, "read", page=True),
    Rule("GET", "/sign-in", None, "read", page=True),
    Rule("POST", "/sign-in", None, "write"),
    Rule("POST", "/sign-out", None, "write"),
    # The API
    Rule("GET", "/api/v1/search", Scope.SEARCH, "search"),
    Rule("POST", "/api/v1/search", Scope.SEARCH, "costly"),
    Rule("POST", "/api/v1/query", Scope.SEARCH, "search"),
    Rule("GET", "/api/v1/images/{image_id}", Scope.READ, "read"),
    Rule("GET", "/api/v1/images/{image_id}/heatmap", Scope.SEARCH, "costly"),
    Rule("GET", "/api/v1/images/{image_id}/ask", Scope.SEARCH, "costly"),
    Rule("GET", "/api/v1/openapi.json", None, "read"),  # the same in every copy of this version
    # Pictures
    Rule("GET", "/media/{image_id}/gallery", Scope.READ, "read"),
    Rule("GET", "/media/{image_id}/page", Scope.READ, "read"),
    Rule("GET", "/media/{image_id}/gallery.webp", Scope.READ, "read"),
    Rule("GET", "/media/{image_id}/page.webp", Scope.READ, "read"),
    Rule("GET", "/media/{image_id}/original", Scope.READ, "read"),
    Rule("GET", "/media/{image_id}/heat.png", Scope.SEARCH, "costly"),
    Rule("GET", "/media/{image_id}/where.svg", Scope.SEARCH, "costly"),
    # The service
    Rule("GET", "/static/{path:path}", None, "free"),
    Rule("GET", "/healthz", None, "free"),
    Rule("GET", "/readyz", Scope.READ, "read"),  # it says how many pictures there are
)
"""Every route. One that is not here is refused to everybody but this machine and keys of the scope `admin`."""


def rule_for(method: str, path: str) -> Rule | None:
    """The rule of the first route that answers this."""
    for rule, pattern in _compiled():
        if rule.method == ("GET" if method == "HEAD" else method) and pattern.match(path):
            return rule
    return None


@functools.cache
def _compiled() -> tuple[tuple[Rule, re.Pattern[str]], ...]:
    return tuple((rule, compile_path(rule.path)[0]) for rule in RULES)
