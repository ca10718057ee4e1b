"""Searches: by words, by pictures of the library, by uploaded ones."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, UploadFile

from search.errors import QueryError
from search.query.plan import MAX_PICTURES, MAX_QUERY_CHARS
from search.query.tree_json import from_json
from search.results import SearchRequest, SearchResult
from web.addresses import at
from web.api.common import KNOWN, problems
from web.deps import Collapse, EngineDep, Hits, LikeId, RegionId
from web.search_schemas import HitModel, QueryModel, SearchModel, TokenModel
from web.uploads import decoded_uploads

Offset = Annotated[int, Query(ge=0, le=100_000, description="How many of the best hits to pass over.")]
Words = Annotated[
    str | None,
    Query(
        description="Words that describe the picture, 1,000 characters at most.",
        examples=["a dog left of a tree -snow date:2024"],
        json_schema_extra={"maxLength": MAX_QUERY_CHARS},  # said here, and refused by the engine
    ),
]
Pictures = Annotated[
    list[UploadFile],
    File(min_length=1, description="Picture files, one to eight: JPEG, PNG, WebP, HEIC, TIFF or another that is read."),
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

SEARCH_PROBLEMS = problems(
    s400="Nothing to search for, an unknown filter, or a query that cannot be answered.",
    s404="No picture or box has the number in `like` or `region`.",
    s422="A value is out of range.",
    s503="Nothing has been indexed, the model is missing, or too many searches wait.",
)

router = APIRouter(dependencies=KNOWN)


@router.get("/api/v1/search", responses=SEARCH_PROBLEMS, tags=["search"], operation_id="search")
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
    return search_model(engine.search(request), k, offset, asked)


@router.post(
    "/api/v1/query",
    responses=problems(
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
    return search_model(engine.search(request), asked.k, asked.offset, None)


@router.post(
    "/api/v1/search",
    responses={
        **SEARCH_PROBLEMS,
        **problems(
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
    return search_model(result, k, offset, None)


def search_model(result: SearchResult, k: int, offset: int, query: dict[str, object] | None) -> SearchModel:
    """A page of an answer; `query` are the parameters that the next page repeats, None where there is no address."""
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
