"""Every route in one table: who may ask, what it costs, and whether other sites may lead to it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Literal

from starlette.routing import compile_path

from search.keys import Scope
from web.admission.costs import Cost

RateKind = Literal["free", "read", "search", "costly", "write"]

_RATES: Mapping[Cost, RateKind] = {
    Cost.STATIC: "read",
    Cost.READ: "read",
    Cost.PICTURE: "read",
    Cost.SEARCH: "search",
    Cost.LOOK: "costly",
    Cost.ASK: "costly",
    Cost.UPLOAD: "costly",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one route needs.

    Attributes:
        method: GET stands for HEAD too.
        path: as the route has it.
        scope: None where no key is needed.
        cost: which lane it takes.
        page: whether it is a page, to which links of other sites may lead.
        writes: whether it changes something.
        where: with a query parameter of this name it costs this instead, and needs what a search needs.
    """

    method: str
    path: str
    scope: Scope | None
    cost: Cost
    page: bool = False
    writes: bool = False
    where: Mapping[str, Cost] = field(default_factory=dict)

    @property
    def rate(self) -> RateKind:
        """How it counts against the caller's rate."""
        if self.scope is None and self.cost is Cost.STATIC:
            return "free"
        return "write" if self.writes else _RATES[self.cost]

    def given(self, parameters: AbstractSet[str]) -> Rule:
        """The rule for a request with these parameters."""
        costs = [cost for name, cost in self.where.items() if name in parameters]
        return replace(self, scope=Scope.SEARCH, cost=costs[-1], page=False, where={}) if costs else self


_HEAT_OR_ASK = {"heat": Cost.LOOK, "ask": Cost.ASK}

RULES: tuple[Rule, ...] = (
    # Pages
    Rule("GET", "/", Scope.READ, Cost.READ, page=True),
    Rule("GET", "/search", Scope.SEARCH, Cost.SEARCH, page=True),
    Rule("POST", "/search", Scope.SEARCH, Cost.UPLOAD),
    Rule("GET", "/suggest", Scope.SEARCH, Cost.READ),
    Rule("GET", "/images/{image_id}", Scope.READ, Cost.READ, page=True, where=_HEAT_OR_ASK),
    Rule("GET", "/images/{image_id}/alike", Scope.SEARCH, Cost.SEARCH, page=True),
    Rule("GET", "/library", Scope.READ, Cost.READ, page=True),
    Rule("GET", "/library/unreadable", Scope.READ, Cost.READ, page=True),
    Rule("GET", "/library/duplicates", Scope.READ, Cost.SEARCH, page=True),
    Rule("GET", "/jobs", Scope.JOBS, Cost.READ, page=True),
    Rule("POST", "/jobs", Scope.JOBS, Cost.READ, writes=True),
    Rule("GET", "/jobs/events", Scope.JOBS, Cost.STATIC),  # it waits most of its time, and counts its listeners itself
    Rule("GET", "/jobs/{job_id}", Scope.JOBS, Cost.READ, page=True),
    Rule("POST", "/jobs/{job_id}/{wish}", Scope.JOBS, Cost.READ, writes=True),
    Rule("GET", "/welcome", Scope.READ, Cost.READ, page=True),
    Rule("POST", "/welcome", Scope.ADMIN, Cost.READ, writes=True),
    Rule("GET", "/language", None, Cost.READ, page=True),
    Rule("GET", "/sign-in", None, Cost.READ, page=True),
    Rule("POST", "/sign-in", None, Cost.READ, writes=True),
    Rule("POST", "/sign-out", None, Cost.READ, writes=True),
    Rule("GET", "/api/docs", None, Cost.READ, page=True),
    # The API
    Rule("GET", "/api/v1/openapi.json", None, Cost.STATIC),  # the same in every copy of this version
    Rule("GET", "/api/v1/search", Scope.SEARCH, Cost.SEARCH),
    Rule("POST", "/api/v1/search", Scope.SEARCH, Cost.UPLOAD),
    Rule("POST", "/api/v1/query", Scope.SEARCH, Cost.SEARCH),
    Rule("GET", "/api/v1/images", Scope.READ, Cost.SEARCH),
    Rule("GET", "/api/v1/images/by-sha256/{sha256}", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/images/by-path", Scope.ADMIN, Cost.READ),  # it would say which paths there are
    Rule("GET", "/api/v1/images/{image_id}", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/images/{image_id}/captions", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/images/{image_id}/regions", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/images/{image_id}/texts", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/images/{image_id}/similar", Scope.SEARCH, Cost.SEARCH),
    Rule("GET", "/api/v1/images/{image_id}/heatmap", Scope.SEARCH, Cost.LOOK),
    Rule("GET", "/api/v1/images/{image_id}/explain", Scope.SEARCH, Cost.LOOK),
    Rule("GET", "/api/v1/images/{image_id}/explain.png", Scope.SEARCH, Cost.LOOK),
    Rule("GET", "/api/v1/images/{image_id}/ask", Scope.SEARCH, Cost.ASK),
    Rule("POST", "/api/v1/images/{image_id}/ask", Scope.SEARCH, Cost.ASK),
    Rule("POST", "/api/v1/images/{image_id}/classify", Scope.SEARCH, Cost.LOOK),
    Rule("POST", "/api/v1/classify", Scope.SEARCH, Cost.UPLOAD),
    Rule("POST", "/api/v1/embeddings", Scope.SEARCH, Cost.LOOK),
    Rule("POST", "/api/v1/embeddings/pictures", Scope.SEARCH, Cost.UPLOAD),
    Rule("GET", "/api/v1/captions", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/regions", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/texts", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/facets", Scope.SEARCH, Cost.SEARCH),
    Rule("GET", "/api/v1/stats", Scope.READ, Cost.READ),
    Rule("GET", "/api/v1/duplicates", Scope.READ, Cost.SEARCH),
    Rule("GET", "/api/v1/exports", Scope.READ, Cost.SEARCH),
    Rule("GET", "/api/v1/jobs", Scope.JOBS, Cost.READ),
    Rule("POST", "/api/v1/jobs", Scope.JOBS, Cost.READ, writes=True),
    Rule("GET", "/api/v1/jobs/{job_id}", Scope.JOBS, Cost.READ),
    Rule("PATCH", "/api/v1/jobs/{job_id}", Scope.JOBS, Cost.READ, writes=True),
    Rule("GET", "/api/v1/jobs/{job_id}/events", Scope.JOBS, Cost.STATIC),  # as /jobs/events
    # Pictures
    Rule("GET", "/media/{image_id}/gallery", Scope.READ, Cost.PICTURE),
    Rule("GET", "/media/{image_id}/page", Scope.READ, Cost.PICTURE),
    Rule("GET", "/media/{image_id}/gallery.webp", Scope.READ, Cost.PICTURE),
    Rule("GET", "/media/{image_id}/page.webp", Scope.READ, Cost.PICTURE),
    Rule("GET", "/media/{image_id}/original", Scope.READ, Cost.PICTURE),
    Rule("GET", "/media/{image_id}/heat.png", Scope.SEARCH, Cost.LOOK),
    Rule("GET", "/media/{image_id}/where.svg", Scope.SEARCH, Cost.LOOK),
    # The service
    Rule("GET", "/static/{path:path}", None, Cost.STATIC),
    Rule("GET", "/healthz", None, Cost.STATIC),
    Rule("GET", "/readyz", Scope.READ, Cost.STATIC),  # it says how many pictures there are
    Rule("GET", "/metrics", Scope.READ, Cost.STATIC),
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
