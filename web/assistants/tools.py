"""The tools: searching, looking, asking, and starting a job; each asks first whether whoever calls may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from pydantic import Field
from starlette.concurrency import run_in_threadpool

from search.jobs.rows import list_jobs, show_job
from search.jobs.wishes import wish_of
from search.keys import Scope
from search.previews import GALLERY_PX, media_type
from search.results import SearchRequest
from vision.errors import DeixisError
from web.access.caller import asking
from web.assistants.protocol import CallToolResult, Image, MCPServer, TextContent, ToolAnnotations, ToolError
from web.assistants.shapes import (
    AnswerShape,
    FacetsShape,
    JobShape,
    PictureShape,
    SearchShape,
    facets_shape,
    picture_shape,
    search_shape,
)
from web.deps import Engine
from web.errors import in_one_line
from web.looking import PictureLooker
from web.media import PreviewMaker
from web.templating import without_paths

MAX_HITS = 50

Query = Annotated[
    str,
    Field(
        max_length=1000,
        description="Words or a sentence, any language the library knows: `two dogs left of a tree`. `-snow` without; "
        '`"exact words"`; `cat OR dog`; `dog^2` weights; `date:2024`, `date:"last summer"`; `text:parking` written in '
        "the picture; `person:Ana`, `tag:beach`, `folder:Italy`, `name:IMG_20*`, `camera:canon`, "
        "`near:48.85,2.35,10km`, `rating:>=3`, `has:text`; `like:42`, `region:31`; `sort:-date`.",
    ),
]
ImageNumber = Annotated[int, Field(ge=1, le=2**63 - 1, description="`image_id` of a hit.")]
Count = Annotated[int, Field(ge=1, le=MAX_HITS, description="How many hits to return.")]
Offset = Annotated[int, Field(ge=0, le=100_000, description="How many of the best hits to pass over.")]
Collapse = Annotated[
    Literal["none", "near"], Field(description="`near` folds nearly identical pictures into the best of them.")
]

_READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
_WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)


class Tools:
    """The tools over one library.

    Args:
        engine: answers; the same that the pages and the API use.
        jobs: whether they are offered that start one.
    """

    def __init__(self, engine: Engine, *, jobs: bool = True) -> None:
        self._engine = engine
        self._previews = PreviewMaker(engine)
        self._looker = PictureLooker(engine, self._previews)
        self._jobs = jobs

    async def close(self) -> None:
        """Wait for what is being made, and close the library."""
        await self._looker.close()
        await self._previews.close()
        await run_in_threadpool(self._engine.close)

    def register(self, server: MCPServer) -> None:
        """Offer them; questions only where there is a captioner, jobs only where whoever asks may start some."""
        server.add_tool(self.search, title="Search pictures", annotations=_READS)
        server.add_tool(self.similar, title="Similar pictures", annotations=_READS)
        server.add_tool(self.facets, title="What there is", annotations=_READS)
        server.add_tool(self.picture, title="Look at a picture", annotations=_READS)
        if self._engine.answers:
            server.add_tool(self.ask, title="Ask about a picture", annotations=_READS)
        if self._jobs:
            server.add_tool(self.update_library, title="Update the library", annotations=_WRITES)

    async def search(
        self, query: Query, count: Count = 10, offset: Offset = 0, collapse: Collapse = "none"
    ) -> SearchShape:
        """Find pictures in the owner's library by what they show, say or are.

        Hits carry the boxes that answer the query. `likely` says how many are worth looking at; 0 means that
        probably nothing shows it.
        """
        return await self._found(SearchRequest(text=query, k=count, offset=offset, collapse=collapse))

    async def similar(self, image_id: ImageNumber, count: Count = 10, offset: Offset = 0) -> SearchShape:
        """Find pictures that look like one of the library."""
        return await self._found(SearchRequest(like_image_id=image_id, k=count, offset=offset))

    async def facets(
        self, query: Annotated[str, Field(max_length=1000, description="As for `search`; empty for all.")] = ""
    ) -> FacetsShape:
        """Count what pictures have in common: things named, dates, cameras, places, people, kinds of file."""
        with _allowed(Scope.SEARCH):
            request = SearchRequest(text=query) if query.strip() else None
            return facets_shape(await run_in_threadpool(self._engine.facets, request))

    async def picture(self, image_id: ImageNumber) -> Annotated[CallToolResult, PictureShape]:
        """Look at one picture: a small copy of it, with its captions, boxes, text and facts."""
        with _allowed(Scope.READ):
            detail = await run_in_threadpool(lambda: self._engine.service().image(image_id))
            shape = picture_shape(detail)
            content = [TextContent(type="text", text=shape.model_dump_json())]
            try:
                preview = await self._previews.get(detail, GALLERY_PX)
            except DeixisError as error:  # what is known is told all the same
                content.append(TextContent(type="text", text=f"No copy of it can be made: {_told(error)}"))
                return CallToolResult(content=[*content], structured_content=shape.model_dump(mode="json"))
        shown = Image(data=preview, format=media_type(preview).removeprefix("image/")).to_image_content()
        return CallToolResult(content=[shown, *content], structured_content=shape.model_dump(mode="json"))

    async def ask(
        self,
        image_id: ImageNumber,
        question: Annotated[str, Field(min_length=1, max_length=1000, description="In a language of the captioner.")],
    ) -> AnswerShape:
        """Let the library's own small captioner answer a question about a picture; it may take half a minute."""
        with _allowed(Scope.SEARCH):
            detail = await run_in_threadpool(lambda: self._engine.service().image(image_id))
            said = await self._looker.ask(detail, question)
        return AnswerShape(answer=said.answer, model=said.model)

    async def update_library(self) -> JobShape:
        """Queue a job that looks for new, changed and deleted pictures in the library's folders."""
        with _allowed(Scope.JOBS):
            number = await run_in_threadpool(self._update)
        return JobShape(job=number, note="It waits for a `deixis worker`; `deixis jobs show` tells how far it is.")

    def _update(self) -> int:
        wish, library = wish_of("index", {}, self._engine.settings), self._engine.library()
        for job in list_jobs(library, unended=True):  # asked for twice, it is done once
            if (job.kind, job.state) == (wish.kind, "queued") and show_job(library, job.id).arguments == wish.arguments:
                return job.id
        return wish.queue(library)

    async def _found(self, request: SearchRequest) -> SearchShape:
        with _allowed(Scope.SEARCH):
            return search_shape(await run_in_threadpool(self._engine.search, request))


@contextmanager
def _allowed(scope: Scope) -> Iterator[None]:
    """Refuse whoever may not, and say in words what the engine refuses."""
    caller = asking()
    if not caller.may(scope):
        has = "no key" if caller.scope is None else f"the scope {caller.scope.word}"
        raise ToolError(f"This needs the scope {scope.word}; whoever asks has {has}.")
    try:
        yield
    except DeixisError as error:
        raise ToolError(_told(error)) from error


def _told(error: DeixisError) -> str:
    return without_paths(in_one_line(error))
