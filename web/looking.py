"""Looks into one picture on request: where a text is in it, and what a captioner answers to a question."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from search.looked import HeatMap, PictureAnswer, Pointed
from search.previews import GALLERY_PX, PAGE_PX
from search.results import ImageDetail
from web.deps import Engine
from web.media import PreviewMaker
from web.once import Remembered
from web.templating import file_name

KEPT_MAPS = 256
"""Heat maps in memory, a few kilobytes each: the page and the picture that it links ask for the same one."""

_DRAWING = "2"
"""Part of every heat map's version; to be changed with the colours, the scale or the interpolation."""


class PictureLooker:
    """Makes heat maps, each once however many ask, and asks questions.

    Args:
        engine: has the models, and decodes.
        previews: the pictures are looked at as their pages show them.
    """

    def __init__(self, engine: Engine, previews: PreviewMaker) -> None:
        self._engine = engine
        self._previews = previews
        self._maps: Remembered[HeatMap] = Remembered(KEPT_MAPS)
        self._pointed: Remembered[tuple[Pointed, ...]] = Remembered(KEPT_MAPS)

    async def version(self, detail: ImageDetail, text: str) -> str:
        """What a heat map follows from, 64 hex digits: equal versions are equal maps."""
        basis = await run_in_threadpool(lambda: self._engine.service().heat_basis())
        return hashlib.sha256("\0".join((_DRAWING, detail.sha256, basis, text)).encode()).hexdigest()

    async def heat_map(self, detail: ImageDetail, text: str, version: str) -> HeatMap:
        """Where in a picture a text is.

        Args:
            detail: the picture.
            text: cleaned words.
            version: of just these two.

        Raises:
            OriginalGoneError: no file holds this picture any more.
            DeixisError: whatever the service raises.
        """
        return await self._maps.get(version, lambda: self._make(detail, text))

    async def point(self, detail: ImageDetail, query: str, version: str) -> tuple[Pointed, ...]:
        """Where the things of a query are in a picture; empty where they are not surely there.

        Args:
            detail: the picture.
            query: cleaned, as for a search.
            version: of just these two.

        Raises:
            OriginalGoneError: no file holds this picture any more.
            DeixisError: whatever the service raises.
        """
        return await self._pointed.get(version, lambda: self._make_pointed(detail, query))

    async def ask(self, detail: ImageDetail, question: str) -> PictureAnswer:
        """Answer a question about a picture.

        Raises:
            NoCaptionerError: this server was started without a captioner.
            OriginalGoneError: no file holds this picture any more.
            PromptError: the question is empty, too long or holds a tag.
            ModelError: the captioner cannot be loaded.
        """
        preview = await self._previews.get(detail, PAGE_PX)
        return await run_in_threadpool(self._engine.ask, preview, _name(detail), question)

    async def close(self) -> None:
        """Wait for what is being made."""
        await self._maps.close()
        await self._pointed.close()

    async def _make(self, detail: ImageDetail, text: str) -> HeatMap:
        preview = await self._previews.get(detail, PAGE_PX)
        return await run_in_threadpool(self._engine.heat_map, preview, _name(detail), text)

    async def _make_pointed(self, detail: ImageDetail, query: str) -> tuple[Pointed, ...]:
        preview = await self._previews.get(detail, GALLERY_PX)
        return await run_in_threadpool(self._engine.point, preview, _name(detail), query)


def _name(detail: ImageDetail) -> str:
    return file_name(detail.files[0].path) if detail.files else f"picture {detail.image_id}"


def _looker_of(request: Request) -> PictureLooker:
    looker: PictureLooker = request.app.state.looker
    return looker


LookerDep = Annotated[PictureLooker, Depends(_looker_of)]
