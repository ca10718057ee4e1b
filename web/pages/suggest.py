"""Suggestions while somebody types: phrases of the library, as options of a list."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from search.db.said import phrases_like
from search.errors import LibraryEmptyError
from web.deps import EngineDep
from web.templating import render

MOST = 8
_SHORTEST = 2
_TRIED = 3
"""Endings of what is typed that are completed: the longest that some phrase begins with."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A query that is offered: `kept` is what was typed before, `added` completes it."""

    kept: str
    added: str

    @property
    def query(self) -> str:
        """The whole of it."""
        return f"{self.kept} {self.added}".strip()


@router.get("/suggest")
def suggest(request: Request, engine: EngineDep, q: Annotated[str, Query(max_length=1000)] = "") -> Response:
    """Options for what has been typed so far; none where nothing of the library begins like it."""
    return render(request, "_suggestions.html", {"suggestions": _suggestions(engine, " ".join(q.split()))})


def _suggestions(engine: EngineDep, typed: str) -> list[Suggestion]:
    if typed.count('"') % 2:  # within quotation marks each word counts
        return []
    words = typed.split(" ")
    first = max(0, len(words) - _TRIED)
    try:
        service = engine.service()
        for start in range(first, len(words)):
            ending = " ".join(words[start:])
            if len(ending) < _SHORTEST or ":" in ending or '"' in ending:
                continue
            found = service.look(partial(phrases_like, beginning=ending, most=MOST + 1))
            offered = [Suggestion(" ".join(words[:start]), one) for one in found]
            if offered:
                return [one for one in offered if one.query.casefold() != typed.casefold()][:MOST]
    except LibraryEmptyError:
        return []
    return []
