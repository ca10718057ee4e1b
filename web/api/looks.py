"""Looks into one picture: where words are in it, and what a captioner answers to a question."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from search.previews import PAGE_PX
from search.query.plan import MAX_QUERY_CHARS, clean_text
from search.query.sentences.parts import parts_of
from vision.explanation import Explanation, explain_query
from web.addresses import at
from web.api.common import KNOWN, problems
from web.conditional import IfNoneMatch
from web.deps import Engine, EngineDep, ImageId
from web.heat import heat_picture
from web.looking import LookerDep, PictureLooker
from web.media import PreviewMaker
from web.model_schemas import ExplanationModel, QuestionModel, WordHeatModel
from web.schemas import AnswerModel, BoxModel, HeatMapModel, SpanModel

MapWords = Annotated[
    str,
    Query(
        description="Words to look for in the picture, 1,000 characters at most.",
        examples=["a dog"],
        json_schema_extra={"minLength": 1, "maxLength": MAX_QUERY_CHARS},  # said here, and refused by the engine
    ),
]
Question = Annotated[
    str, Query(max_length=1000, description="What to ask, in a language of the captioner.", examples=["How many dogs?"])
]

router = APIRouter(dependencies=KNOWN)


@router.get(
    "/api/v1/images/{image_id}/heatmap",
    responses=problems(
        s400="The words are empty or too many.",
        s404="There is no such picture.",
        s410="No file holds the picture any more.",
        s422="`q` is missing, or the picture cannot be read.",
        s501="The encoder cannot compare patches with words.",
        s503="The model is missing, or too many searches wait.",
    ),
    tags=["pictures"],
    operation_id="heatMap",
)
async def heat_map(engine: EngineDep, looker: LookerDep, image_id: ImageId, q: MapWords) -> HeatMapModel:
    """Where in a picture some words are, after the encoder of the search: whole queries, phrases or single words."""
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    text = clean_text(q)
    made = await looker.heat_map(detail, text, await looker.version(detail, text))
    return HeatMapModel(
        image_id=image_id,
        text=text,
        values=_values(made.heat),
        covers=BoxModel.model_validate(made.covers),
        low=made.scale.low,
        high=made.scale.high,
        box=None if made.box is None else BoxModel.model_validate(made.box),
        strength=made.strength,
        model=made.model,
        took_ms=round(made.took_ms, 3),
        overlay=at(f"/media/{image_id}/heat.png?") + urlencode({"q": text}),
    )


_ASK_PROBLEMS = problems(
    s404="There is no such picture.",
    s410="No file holds the picture any more.",
    s422="The question is missing, empty, too long or holds a tag of the model, or the picture cannot be read.",
    s501="The server was started without a captioner.",
    s503="The captioner is missing, or other questions wait.",
)


@router.get("/api/v1/images/{image_id}/ask", responses=_ASK_PROBLEMS, tags=["pictures"], operation_id="ask")
async def ask(engine: EngineDep, looker: LookerDep, image_id: ImageId, question: Question) -> AnswerModel:
    """Ask a question about a picture; questions are answered one at a time."""
    return await _ask(engine, looker, image_id, question)


@router.post("/api/v1/images/{image_id}/ask", responses=_ASK_PROBLEMS, tags=["pictures"], operation_id="askByJson")
async def ask_by_json(engine: EngineDep, looker: LookerDep, image_id: ImageId, asked: QuestionModel) -> AnswerModel:
    """The same with a JSON body, which no log of addresses keeps."""
    return await _ask(engine, looker, image_id, asked.question)


_EXPLAIN_PROBLEMS = problems(
    s400="The words are empty or too many.",
    s404="There is no such picture.",
    s410="No file holds the picture any more.",
    s422="`q` is missing, or the picture cannot be read.",
    s501="The encoder cannot compare patches with words.",
    s503="The model is missing, or too many searches wait.",
)


@router.get("/api/v1/images/{image_id}/explain", responses=_EXPLAIN_PROBLEMS, tags=["pictures"], operation_id="explain")
async def explain(request: Request, engine: EngineDep, image_id: ImageId, q: MapWords) -> ExplanationModel:
    """Where a query, its things and its words are in a picture: a map for each, after the encoder of the search."""
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    text = clean_text(q)
    previews: PreviewMaker = request.app.state.previews
    preview = await previews.get(detail, PAGE_PX)
    made = await run_in_threadpool(_explained, engine, preview, text)
    words = tuple(
        WordHeatModel(
            text=word.text,
            span=SpanModel.model_validate(word.span),
            values=_values(word.heat),
            low=word.scale.low,
            high=word.scale.high,
            overlay=at(f"/api/v1/images/{image_id}/explain.png?") + urlencode({"q": word.text}),
        )
        for word in made.words
    )
    covers = BoxModel.model_validate(made.covers)
    return ExplanationModel(image_id=image_id, text=text, covers=covers, words=words, model=made.model)


@router.get(
    "/api/v1/images/{image_id}/explain.png",
    response_class=Response,
    responses={
        200: {"description": "See-through, longest side 512 px.", "content": {"image/png": {}}},
        304: {"description": "The client has it already."},
        **_EXPLAIN_PROBLEMS,
    },
    tags=["pictures"],
    operation_id="explainPng",
)
async def explain_png(
    engine: EngineDep, looker: LookerDep, image_id: ImageId, q: MapWords, if_none_match: IfNoneMatch = ""
) -> Response:
    """One map as a see-through picture, to be laid over any size of the picture: what `/media` has as `heat.png`."""
    return await heat_picture(engine, looker, image_id, q, if_none_match)


def _explained(engine: Engine, preview: bytes, text: str) -> Explanation:
    pixels = engine.decode_bytes(preview, "preview")
    return engine.compute(lambda service: explain_query(service.encoder(), pixels, text, parts_of(text)))


async def _ask(engine: Engine, looker: PictureLooker, image_id: int, question: str) -> AnswerModel:
    detail = await run_in_threadpool(lambda: engine.service().image(image_id))
    said = await looker.ask(detail, question)
    return AnswerModel(
        image_id=image_id,
        question=said.question,
        answer=said.answer,
        log_probability=said.log_probability,
        model=said.model,
        took_ms=round(said.took_ms, 3),
    )


def _values(heat: NDArray[np.float32]) -> list[list[float | None]]:
    return [[float(value) if np.isfinite(value) else None for value in row] for row in heat]
