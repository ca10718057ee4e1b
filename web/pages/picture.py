"""The page of one picture: large, with what is known of it and why the search that led there found it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from search.db.said import Said, captions_of
from search.looked import PictureAnswer
from search.results import CaptionInfo, ImageDetail
from vision.grounding.errors import PromptError
from web.deps import EngineDep, ImageId
from web.errors import in_one_line, kind_of
from web.heat import gradient, shown_heat, suggested_parts
from web.looking import LookerDep, PictureLooker
from web.overlay import VIEWER_LABELS, Groundable, Overlay, draw, mark_phrases
from web.pages.neighbours import Led, Neighbours, PageText, neighbours
from web.pages.tiles import label_of
from web.pieces import number_of
from web.shown_facts import shown_facts
from web.templating import render

_LINES = 300

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with its answer, or with the reason why it cannot be put; `status` is the page's HTTP status."""

    question: str
    status: int
    said: PictureAnswer | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What else is to be shown: where words are (`heat`), an answer (`ask`), captions of one language (`lang`)."""

    heat: PageText = ""
    ask: PageText = ""
    lang: Annotated[str, Query(max_length=16)] = ""


@router.get("/images/{image_id}")
async def picture(
    request: Request,
    engine: EngineDep,
    looker: LookerDep,
    image_id: ImageId,
    led: Annotated[Led, Depends()],
    wish: Annotated[Wish, Depends()],
) -> Response:
    """One picture, large, with every phrase that is known of it; on request where words are in it, or an answer."""
    service = engine.service()
    detail = await run_in_threadpool(service.image, image_id)
    said = await run_in_threadpool(service.look, lambda session: captions_of(session, [image_id]).get(image_id, ()))
    near = await neighbours(engine, led, image_id)
    overlay, matched = _drawn(detail, near)
    answered = await _answered(looker, detail, wish.ask) if wish.ask else None
    context = {
        "led": led,
        "q": led.q,
        "near": near,
        "matched": matched,
        "image": detail,
        "overlay": overlay,
        "captions": [(one, mark_phrases(one, overlay.things)) for one in _in_language(detail, wish.lang)],
        "lang": wish.lang,
        "caption_languages": sorted({one.language for one in detail.captions if one.language}),
        "machine": _written_by_machines(said),
        "label": label_of(said, detail.files[0].path if detail.files else None),
        "facts": shown_facts(detail.facts),
        "lines": detail.lines[:_LINES],
        "heat": await shown_heat(looker, detail, wish.heat) if wish.heat.strip() else None,
        "parts": suggested_parts(led.q) if led.q.strip() else [],
        "gradient": gradient(),
        "has_heat": service.may_have_heat_maps,
        "asks": engine.answers,
        "answered": answered,
    }
    return render(request, "picture.html", context, status_code=answered.status if answered else 200)


def _drawn(detail: ImageDetail, near: Neighbours) -> tuple[Overlay, frozenset[int]]:
    """What is drawn, boxes that answer the query first, and the groups of those."""
    matched: list[Groundable] = list(near.hit.regions) if near.hit else []
    known: list[Groundable] = [region for caption in detail.captions for region in caption.regions]
    known += detail.regions
    shown = {region.region_id for region in matched if region.region_id is not None}
    regions = [*matched, *(region for region in known if region.region_id not in shown)]
    overlay = draw(regions, VIEWER_LABELS, lambda region: number_of(region, near.pieces))
    # What answers the query comes first, so that its things do.
    answering = len(draw(matched, VIEWER_LABELS, lambda region: number_of(region, near.pieces)).things)
    return overlay, frozenset(range(answering))


def _in_language(detail: ImageDetail, lang: str) -> list[CaptionInfo]:
    """The captions of one language; all of them where none is asked for or there is none in it."""
    return [one for one in detail.captions if lang and one.language == lang] or list(detail.captions)


def _written_by_machines(said: Sequence[Said]) -> frozenset[int]:
    return frozenset(one.caption_id for one in said if one.machine)


async def _answered(looker: PictureLooker, detail: ImageDetail, question: str) -> Answered:
    try:
        said = await looker.ask(detail, question)
    except PromptError as error:  # said beside the form, where the question can be put right
        return Answered(question, kind_of(error).status, problem=in_one_line(error))
    return Answered(question, 200, said)
