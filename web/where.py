"""Boxes for a hit that came without any: looked for when its tile is seen, as a see-through picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from search.looked import Pointed
from search.query.plan import clean_text
from search.results import ImageDetail
from web.addresses import at
from web.conditional import IfNoneMatch, not_modified
from web.deps import EngineDep, ImageId
from web.looking import LookerDep
from web.media import ContentVersion

DRAWN_PX = 300
"""Longest side of the layer, about that of a tile: lines and letters are measured in it."""

_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""Okabe and Ito's, as in static/pictures.css, which a picture in a picture cannot read."""

_LETTER_PX = 7
_LINE_PX = 16

router = APIRouter(include_in_schema=False)


def where_url(image_id: int, query: str, sha256: str) -> str:
    """Address of the layer for a tile; `v` is the picture's content."""
    return at(f"/media/{image_id}/where.svg?") + urlencode({"q": query, "v": sha256[:16]})


@router.get("/media/{image_id}/where.svg")
async def where_layer(
    engine: EngineDep,
    looker: LookerDep,
    image_id: ImageId,
    q: Annotated[str, Query()],
    if_none_match: IfNoneMatch = "",
    version: ContentVersion = "",
) -> Response:
    """The boxes of a query's things on one picture, as SVG with its proportions; empty where they are not surely there.

    Not for good like a preview: a library that grows comes to know better what is sure.
    """
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    text = clean_text(q)
    known = await looker.version(detail, text)
    etag = f'"{known[:32]}-w2"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=600" if version else "private, no-cache"}
    same = not_modified(if_none_match, headers)
    if same is not None:
        return same
    found = await looker.point(detail, text, known)
    return Response(layer(detail, found), media_type="image/svg+xml", headers=headers)


def layer(detail: ImageDetail, found: Sequence[Pointed]) -> str:
    """The SVG: a box and a label for each thing, fainter the less sure it is."""
    scale = DRAWN_PX / max(detail.width_px, detail.height_px)
    width, height = detail.width_px * scale, detail.height_px * scale
    drawn = "".join(_thing(number, one, width, height) for number, one in enumerate(found))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}">{drawn}</svg>'


def _thing(number: int, one: Pointed, width: float, height: float) -> str:
    if one.box is None:
        return ""
    x, y = one.box.x0 * width, one.box.y0 * height
    rectangle = (
        f'x="{x:.1f}" y="{y:.1f}" width="{(one.box.x1 - one.box.x0) * width:.1f}" '
        f'height="{(one.box.y1 - one.box.y0) * height:.1f}" fill="none" rx="2"'
    )
    colour = _COLOURS[number % len(_COLOURS)]
    label = f"{number + 1} " + (one.phrase if len(one.phrase) <= 32 else one.phrase[:31] + "…")
    wide = min(len(label) * _LETTER_PX + 6, width)
    left, top = min(x, width - wide), y - _LINE_PX if y >= _LINE_PX else y
    return (
        f'<g opacity="{0.4 + 0.6 * (one.strength or 0):.2f}">'
        f'<rect {rectangle} stroke="#000" stroke-opacity=".55" stroke-width="5"/>'
        f'<rect {rectangle} stroke="{colour}" stroke-width="2.5" stroke-dasharray="7 4"/>'
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{_LINE_PX}" rx="2" fill-opacity=".7"/>'
        f'<text x="{left + 3:.1f}" y="{top + 12:.1f}" fill="#fff" font-family="system-ui, sans-serif" font-size="12" '
        f'textLength="{wide - 6:.1f}" lengthAdjust="spacingAndGlyphs">{escape(label)}</text></g>'
    )
