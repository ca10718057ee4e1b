"""The JSON API: searches and pictures."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

import numpy as np
from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from starlette.concurrency import run_in_threadpool

from search.errors import QueryError
from search.query.plan import MAX_PICTURES, clean_text
from search.query.tree_json import from_json
from search.results import SearchRequest, SearchResult
from web.addresses import at
from web.deps import Collapse, EngineDep, Hits, ImageId, LikeId, RegionId, known_parameters
from web.errors import PROBLEM_JSON
from web.looking import LookerDep
from web.schemas import (
    AnswerModel,
    BoxModel,
    HeatMapModel,
    ImageModel,
)
from web.search_schemas import HitModel, QueryModel, SearchModel, TokenModel
from web.uploads import decoded_uploads

Offset = Annotated[int, Query(ge=0, le=100_000, description="How many of the best hits to pass over.")]
Words = Annotated[str | None, Query(description="Words that describe the picture, 1,000 characters at most.")]
MapWords = Annotated[str, Query(description="Words to look for in the picture, 1,000 characters at most.")]
Question = Annotated[
    str, Query(max_length=1000, description="What to ask, in a language of the captioner.", examples=["How many dogs?"])
]
Pictures = Annotated[
    list[UploadFile],
    File(description="Picture files, one to eight: JPEG, PNG, WebP, HEIC, TIFF or another that is read."),
]
Crops = Annotated[
    list[str] | None,
    Form(
        description="The part of each picture that counts: left, top, right, bottom in shares of its sides; in their "
        "order, empty for a whole one.",
        examples=[["0.1,0.2,0.6,0.9"]],
    ),
]
FormWords = Annotated[str | None, Form(description="Words in the query language, added to the pictures.")]


def _problems(**meanings: str) -> dict[int | str, dict[str, Any]]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemModel"}}}
    return {int(status[1:]): {"description": meaning, "content": content} for status, meaning in meanings.items()}


_SEARCH_PROBLEMS = _problems(
    s400="Nothing to search for, an unknown filter, or a query that cannot be answered.",
    s404="No picture or box has the number in `like` or `region`.",
    s422="A value is out of range.",
    s503="Nothing has been indexed, the model is missing, or too many searches wait.",
)

router = APIRouter(dependencies=[Depends(known_parameters)])


@router.get("/api/v1/search", responses=_SEARCH_PROBLEMS, tags=["search"], operation_id="search")
def search(
    engine: EngineDep,
    q: Words = None,
    like: LikeId = None,
    region: RegionId = None,
    k: Hits = 20,
    offset: Offset = 0,
    collapse: Collapse = "none",
) -> SearchModel:
    """Find pictures by words in the query language (`q`), by a picture of the library (`like`), a box (`region`)."""
    request = SearchRequest(text=q, like_image_id=like, like_region_id=region, k=k, offset=offset, collapse=collapse)
    near = None if collapse == "none" else collapse
    asked: dict[str, object] = {"q": q, "like": like, "region": region, "collapse": near}
    return _search_model(engine.search(request), k, offset, asked)


@router.post(
    "/api/v1/query",
    responses=_problems(
        s400="The query or its tree cannot be read; `detail` says where.",
        s404="No picture or box has a number that the query names.",
        s422="A value is out of range, or a key is not known.",
        s503="Nothing has been indexed, the model is missing, or too many searches wait.",
    ),
    tags=["search"],
    operation_id="query",
)
def query(engine: EngineDep, asked: QueryModel) -> SearchModel:
    """The same as a search by words, with a JSON body: a text (`q`) or the tree that it is read as (`tree`)."""
    tree = None if asked.tree is None else from_json(asked.tree)
    request = SearchRequest(
        text=asked.q, tree=tree, k=asked.k, offset=asked.offset, annotations=asked.annotations, collapse=asked.collapse
    )
    return _search_model(engine.search(request), asked.k, asked.offset, None)


@router.post(
    "/api/v1/search",
    responses={
        **_SEARCH_PROBLEMS,
        **_problems(
            s400="The form is malformed.",
            s408="The picture took too long to arrive.",
            s413="The upload is too large.",
            s422="The picture cannot be read (`code` says why), or a value is out of range.",
        ),
    },
    tags=["search"],
    operation_id="searchByPicture",
)
def search_by_picture(
    engine: EngineDep, image: Pictures, q: FormWords = None, crop: Crops = None, k: Hits = 20, offset: Offset = 0
) -> SearchModel:
    """Find pictures that look like uploaded ones, with words (`q`) if there are any; nothing of the upload is kept."""
    if len(image) > MAX_PICTURES:
        raise QueryError(f"{len(image)} pictures were sent; the limit is {MAX_PICTURES}")
    pixels = decoded_uploads(engine, image, crop or ())
    text = q if q and q.strip() else None
    result = engine.search(SearchRequest(text=text, pictures=pixels, k=k, offset=offset))
    # There is no address of the next page: the picture would have to be sent again.
    return _search_model(result, k, offset, None)


@router.get(
    "/api/v1/images/{image_id}",
    responses=_problems(
        s404="There is no such picture.", s422="The number is out of range.", s503="Nothing has been indexed yet."
    ),
    tags=["pictures"],
    operation_id="image",
)
def image(engine: EngineDep, image_id: ImageId) -> ImageModel:
    """Everything the library knows of one picture: its files, captions, phrases and boxes."""
    return ImageModel.model_validate(engine.service().image(image_id))


@router.get(
    "/api/v1/images/{image_id}/heatmap",
    responses=_problems(
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
        values=[[float(value) if np.isfinite(value) else None for value in row] for row in made.heat],
        covers=BoxModel.model_validate(made.covers),
        low=made.scale.low,
        high=made.scale.high,
        box=None if made.box is None else BoxModel.model_validate(made.box),
        strength=made.strength,
        model=made.model,
        took_ms=round(made.took_ms, 3),
        overlay=at(f"/media/{image_id}/heat.png?") + urlencode({"q": text}),
    )


@router.get(
    "/api/v1/images/{image_id}/ask",
    responses=_problems(
        s404="There is no such picture.",
        s410="No file holds the picture any more.",
        s422="The question is missing, empty, too long or holds a tag of the model, or the picture cannot be read.",
        s501="The server was started without a captioner.",
        s503="The captioner is missing, or other questions wait.",
    ),
    tags=["pictures"],
    operation_id="ask",
)
async def ask(engine: EngineDep, looker: LookerDep, image_id: ImageId, question: Question) -> AnswerModel:
    """Ask a question about a picture; questions are answered one at a time."""
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


def _search_model(result: SearchResult, k: int, offset: int, query: dict[str, object] | None) -> SearchModel:
    following = None
    if result.more and query is not None:
        given = {name: value for name, value in query.items() if value is not None}
        following = at("/api/v1/search?") + urlencode({**given, "k": k, "offset": offset + k})
    return SearchModel(
        query=result.query,
        hits=tuple(HitModel.model_validate(hit) for hit in result.hits),
        likely=result.likely,
        nearest=result.nearest,
        unread=result.unread,
        tokens=tuple(TokenModel.model_validate(token) for token in result.tokens),
        remarks=result.remarks,
        k=k,
        offset=offset,
        more=result.more,
        next=following,
        images_searched=result.images_searched,
        waiting=result.waiting,
        took_ms=round(result.took_ms, 3),
        model=result.model,
    )
