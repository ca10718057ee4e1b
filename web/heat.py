"""Heat maps over HTTP: a see-through layer as PNG, and what the page of a picture says about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from search.errors import QueryError
from search.looked import HeatMap
from search.query.branches import branches
from search.query.deriving import STRONG
from search.query.language import parse
from search.query.plan import clean_text
from search.query.sentences.parts import MAX_PARTS, parts_of
from search.results import ImageDetail
from vision.errors import DeixisError
from vision.heat_colours import heat_colours
from vision.overlay_images import heat_layer, png_bytes
from web.conditional import IfNoneMatch, cached, not_modified
from web.deps import EngineDep, ImageId
from web.errors import in_one_line
from web.looking import LookerDep, PictureLooker
from web.media import ContentVersion
from web.overlay import Drawn, derived_box
from web.templating import heat_url

LAYER_PX = 512
"""Longest side of a layer; it is smooth, so browsers may enlarge it."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ShownHeat:
    """What a picture's page shows of a heat map.

    Attributes:
        text: the words looked for.
        url: address of the layer; None where there is none.
        low: the largest value that is bare; high: the largest value. Cosines, as text.
        strength: how surely it is there at all, per cent as text; empty where nobody can tell.
        sure: whether hardly any picture without it reaches that.
        box: where it is, where that is sure.
        problem: why there is no layer; None where there is one.
    """

    text: str
    url: str | None = None
    low: str = ""
    high: str = ""
    strength: str = ""
    sure: bool = False
    box: Drawn | None = None
    problem: str | None = None


@router.get("/media/{image_id}/heat.png")
async def heat_picture(
    engine: EngineDep,
    looker: LookerDep,
    image_id: ImageId,
    q: Annotated[str, Query()],
    if_none_match: IfNoneMatch = "",
    version: ContentVersion = "",
) -> Response:
    """A heat map as a see-through picture, longest side 512 px, to be laid over any size of its picture."""
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    text = clean_text(q)
    known = await looker.version(detail, text)
    etag = f'"{known[:32]}"'
    headers = cached(etag, lasting=version != "" and known.startswith(version))
    same = not_modified(if_none_match, headers)
    if same is not None:
        return same
    made = await looker.heat_map(detail, text, known)
    return Response(await run_in_threadpool(_layer, detail, made), media_type="image/png", headers=headers)


async def shown_heat(looker: PictureLooker, detail: ImageDetail, text: str) -> ShownHeat:
    """Look for a text in a picture; where that fails, the page still comes, and says why there is no map."""
    try:
        words = clean_text(text)
        version = await looker.version(detail, words)
        made = await looker.heat_map(detail, words, version)
    except DeixisError as error:
        return ShownHeat(text, problem=in_one_line(error))
    sure = made.strength is not None and made.strength >= STRONG
    return ShownHeat(
        text=words,
        url=heat_url(detail.image_id, words, version),
        low=f"{made.scale.low:.3f}",
        high=f"{float(made.heat[np.isfinite(made.heat)].max(initial=-1)):.3f}",
        strength="" if made.strength is None else f"{made.strength * 100:.0f} %",
        sure=sure,
        box=derived_box(made.box) if sure and made.box is not None else None,
    )


def suggested_parts(query: str) -> list[str]:
    """What of a query can be looked for: the words of each alternative, their things, single words; each once.

    Of a query that cannot be read, nothing.
    """
    try:
        root = parse(query).root
        alternatives = () if root is None else branches(root)
    except QueryError:
        return []
    found: dict[str, str] = {}
    for words in (branch.words for branch in alternatives):
        for text in (words, *(words[span.start : span.end] for span in parts_of(words))):
            if text:
                found.setdefault(text.casefold(), text)
    return list(found.values())[: MAX_PARTS + 1]


def gradient() -> list[tuple[str, str]]:
    """The colours of heat as `(offset, #rrggbb)`, for a legend."""
    table = heat_colours()[:: len(heat_colours()) // 15]
    return [
        (f"{number / (len(table) - 1):.3f}", "#{:02x}{:02x}{:02x}".format(*row)) for number, row in enumerate(table)
    ]


def _layer(detail: ImageDetail, made: HeatMap) -> bytes:
    scale = LAYER_PX / max(detail.width_px, detail.height_px)
    size_wh = (max(1, round(detail.width_px * scale)), max(1, round(detail.height_px * scale)))
    return png_bytes(heat_layer(made.heat, size_wh, made.scale, made.covers))
