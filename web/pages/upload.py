"""Searches by uploaded pictures: looked at, compared, forgotten."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from search.errors import QueryError
from search.query.plan import MAX_PICTURES
from search.results import SearchRequest
from web.deps import EngineDep
from web.pages.results import HITS_PER_PAGE, PageHits, results_page
from web.templating import file_name
from web.uploads import decoded_uploads

router = APIRouter(include_in_schema=False)


@router.post("/search")
def results_for_upload(
    request: Request,
    engine: EngineDep,
    image: Annotated[list[UploadFile], File()],
    q: Annotated[str, Form(max_length=1000)] = "",
    crop: Annotated[list[str] | None, Form(max_length=MAX_PICTURES)] = None,
    k: PageHits = 2 * HITS_PER_PAGE,
) -> Response:
    """Pictures that look like uploaded ones or parts of them, with words if there are any."""
    if len(image) > MAX_PICTURES:
        raise QueryError(f"{len(image)} pictures were sent; the limit is {MAX_PICTURES}")
    names = [file_name(one.filename or "your picture") for one in image]
    pictures = decoded_uploads(engine, image, crop or ())
    result = engine.search(SearchRequest(text=q if q.strip() else None, pictures=pictures, k=k))
    return results_page(request, engine, result, {"q": q.strip(), "upload": ", ".join(names)})
