"""The search that led to a picture: why it was found there, and which pictures stand before and after it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Query
from starlette.concurrency import run_in_threadpool

from search.results import Hit, SearchRequest, SearchResult
from vision.errors import DeixisError
from web.deps import Engine, LikeId, RegionId
from web.pieces import QueryPiece, QueryStretch, marked_query, query_pieces
from web.templating import search_url

log = logging.getLogger(__name__)

PageText = Annotated[str, Query(max_length=1000)]


@dataclass(frozen=True, slots=True)
class Led:
    """What was looked for, and at which rank (`n`, from 1) the picture stood; None where nobody says."""

    q: PageText = ""
    like: LikeId = None
    region: RegionId = None
    beyond: bool = False
    n: Annotated[int | None, Query(ge=1, le=100_000)] = None

    @property
    def links(self) -> dict[str, object]:
        """The parts of an address that lead to the same answer."""
        given = {"q": self.q if self.q.strip() else None, "like": self.like, "region": self.region}
        return {**given, "beyond": "true" if self.beyond else None}

    @property
    def back(self) -> str:
        """Address of the results; empty where there were none."""
        given = {name: value for name, value in self.links.items() if value is not None and name != "beyond"}
        return search_url(**self.links) if given else ""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A picture's place in an answer; empty where it has none.

    Attributes:
        hit: the picture itself, with the reasons.
        pieces: those of the query that its boxes answer.
        likely: hits before the line of what is likely relevant.
    """

    hit: Hit | None = None
    previous: Hit | None = None
    following: Hit | None = None
    likely: int | None = None
    pieces: tuple[QueryPiece, ...] = field(default=())
    stretches: tuple[QueryStretch, ...] = field(default=())


async def neighbours(engine: Engine, led: Led, image_id: int) -> Neighbours:
    """Ask again for the three hits around a picture; where that fails, its page comes without them."""
    if led.n is None or not led.back:
        return Neighbours()
    first = max(0, led.n - 2)
    asked = SearchRequest(
        text=led.q if led.q.strip() else None, like_image_id=led.like, like_region_id=led.region, k=3, offset=first
    )
    try:
        result = await run_in_threadpool(engine.search, asked)
    except DeixisError as error:
        log.info("no neighbours of picture %d: %s", image_id, error)
        return Neighbours()
    return _placed(result, image_id, beyond=led.beyond)


def _placed(result: SearchResult, image_id: int, *, beyond: bool) -> Neighbours:
    shown = [hit for hit in result.hits if beyond or hit.likely or hit.image_id == image_id]
    at = next((place for place, hit in enumerate(shown) if hit.image_id == image_id), None)
    if at is None:  # the library has changed since
        return Neighbours()
    pieces = query_pieces(result.query, [shown[at]])
    return Neighbours(
        hit=shown[at],
        previous=shown[at - 1] if at else None,
        following=shown[at + 1] if at + 1 < len(shown) else None,
        likely=result.likely,
        pieces=pieces,
        stretches=marked_query(result.query, pieces),
    )
