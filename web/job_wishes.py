"""Jobs as whoever asks may ask for them, on a page or over the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from search.db.roots import root_paths
from search.jobs.wishes import Wish, wish_of
from search.keys import Scope
from web.access.caller import asking
from web.deps import Engine


def wish_here(engine: Engine, kind: str, given: Mapping[str, Any]) -> Wish:
    """What is asked for; folders that are new to the library are named by `admin` and this machine alone.

    Raises:
        QueryError: as `wish_of`.
        LibraryError: there is no library, or it cannot be opened.
    """
    if asking().may(Scope.ADMIN):
        return wish_of(kind, given, engine.settings)
    with engine.library().read() as session:
        known = root_paths(session)
    return wish_of(kind, given, engine.settings, known)
