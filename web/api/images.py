"""Pictures: one by its number, content or path; lists of them; and those that are like one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from sqlalchemy import select

from search.db.schema import File, Image
from search.errors import NotFoundError
from search.listing import Order, list_images
from search.results import SearchRequest
from web.api.common import KNOWN, Cursor, Filters, PageSize, problems
from web.api.cursors import Cursors
from web.api.searches import SEARCH_PROBLEMS, Offset, search_model
from web.deps import Collapse, Engine, EngineDep, Hits, ImageId
from web.list_schemas import ImagesModel, ListedImageModel
from web.schemas import EXAMPLE_HASH, CaptionModel, ImageModel, RegionModel
from web.search_schemas import SearchModel

Sha256 = Annotated[
    str, Path(pattern="^[0-9a-fA-F]{64}$", description="SHA-256 of the file's bytes, hex.", examples=[EXAMPLE_HASH])
]
FilePath = Annotated[
    str,
    Query(
        min_length=1, max_length=4_096, description="Absolute path of a file.", examples=["/home/ana/Pictures/a.jpg"]
    ),
]
Sort = Annotated[
    Order,
    Query(description="`added` and `date`: newest first; with a minus oldest first. Undated pictures come last."),
]

_ONE = problems(s404="There is no such picture.", s422="The number is out of range.")

router = APIRouter(dependencies=KNOWN)


@router.get(
    "/api/v1/images",
    responses=problems(s400="The filters or the cursor cannot be read.", s410="The cursor is of another library."),
    tags=["pictures"],
    operation_id="images",
)
def images(
    engine: EngineDep, filters: Filters = None, sort: Sort = "added", k: PageSize = 100, cursor: Cursor = None
) -> ImagesModel:
    """Pictures that fulfil filters of the query language, page by page; all of them where there is no filter."""
    cursors = Cursors(engine, "/api/v1/images", {"q": filters, "sort": sort})
    found, last = list_images(engine.library(), filters, sort, k, cursors.read(cursor))
    return ImagesModel(images=tuple(map(ListedImageModel.model_validate, found)), next=cursors.next(last, k))


@router.get("/api/v1/images/by-sha256/{sha256}", responses=_ONE, tags=["pictures"], operation_id="imageBySha256")
def image_by_sha256(engine: EngineDep, sha256: Sha256) -> ImageModel:
    """The picture with this content."""
    with engine.library().read() as session:
        found = session.scalar(select(Image.id).where(Image.sha256 == sha256.lower()))
    return _image(engine, found, "picture with this content")


@router.get("/api/v1/images/by-path", responses=_ONE, tags=["pictures"], operation_id="imageByPath")
def image_by_path(engine: EngineDep, path: FilePath) -> ImageModel:
    """The picture that a file holds, or held when it was last seen."""
    found = None
    if "\0" not in path:
        with engine.library().read() as session:
            found = session.scalar(select(File.image_id).where(File.path == path))
    return _image(engine, found, "picture at this path")


@router.get("/api/v1/images/{image_id}", responses=_ONE, tags=["pictures"], operation_id="image")
def image(engine: EngineDep, image_id: ImageId) -> ImageModel:
    """Everything the library knows of one picture: its files, captions, phrases and boxes."""
    return ImageModel.model_validate(engine.service().image(image_id))


@router.get("/api/v1/images/{image_id}/captions", responses=_ONE, tags=["told"], operation_id="imageCaptions")
def image_captions(engine: EngineDep, image_id: ImageId) -> tuple[CaptionModel, ...]:
    """What is said of one picture, each sentence with the boxes of its phrases."""
    return ImageModel.model_validate(engine.service().image(image_id)).captions


@router.get("/api/v1/images/{image_id}/regions", responses=_ONE, tags=["told"], operation_id="imageRegions")
def image_regions(engine: EngineDep, image_id: ImageId) -> tuple[RegionModel, ...]:
    """All boxes of one picture: those of its captions' phrases, then those that belong to no caption."""
    found = ImageModel.model_validate(engine.service().image(image_id))
    return (*(region for caption in found.captions for region in caption.regions), *found.regions)


@router.get("/api/v1/images/{image_id}/texts", responses=_ONE, tags=["told"], operation_id="imageTexts")
def image_texts(engine: EngineDep, image_id: ImageId) -> tuple[RegionModel, ...]:
    """The lines of text that were read in one picture."""
    return ImageModel.model_validate(engine.service().image(image_id)).lines


@router.get("/api/v1/images/{image_id}/similar", responses=SEARCH_PROBLEMS, tags=["search"], operation_id="similar")
def similar(
    engine: EngineDep, image_id: ImageId, k: Hits = 20, offset: Offset = 0, collapse: Collapse = "none"
) -> SearchModel:
    """Pictures that look like this one, which itself is left out: the same as a search with `like`."""
    request = SearchRequest(like_image_id=image_id, k=k, offset=offset, collapse=collapse)
    near = None if collapse == "none" else collapse
    return search_model(engine.search(request), k, offset, {"like": image_id, "collapse": near})


def _image(engine: Engine, image_id: int | None, what: str) -> ImageModel:
    if image_id is None:
        raise NotFoundError(f"there is no {what} in this library")
    return ImageModel.model_validate(engine.service().image(image_id))
