"""Which methods are answered at an address."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import Match

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def methods_of(request: Request) -> str:
    """Every method that some route answers at this address; a router names those of the first route alone."""
    methods = [method for method in METHODS if is_answered(request, method)]
    if "GET" in methods:
        methods.append("HEAD")  # answered as GET without a body, see `web.middleware`
    return ", ".join(sorted(methods))


def is_answered(request: Request, method: str) -> bool:
    """Whether some route takes this method at the address of a request."""
    scope = {**request.scope, "method": method}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
