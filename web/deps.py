"""What the routes share: the one search engine of this process and how a request reaches it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal, TypeVar

from fastapi import Depends, Path, Query, Request
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError

from search.asking import PictureAsker
from search.encoder import EncoderWish
from search.facets import Facets
from search.jobs.rows import count_states
from search.library import Library
from search.looked import HeatMap, PictureAnswer, Pointed
from search.results import SearchRequest, SearchResult
from search.service import SearchService
from search.settings import Settings
from vision.errors import DeixisError
from vision.images import Decoded, DecodeLimits, DecodeRequest, DecoderPool, accept
from vision.types import RgbImage
from vision.wanted import current_work, still_wanted
from web.access.caller import may_see_paths
from web.errors import NoCaptionerError, UnknownParameterError

T = TypeVar("T")

MAX_PAGE_HITS = 100

UPLOAD_MAX_PIXELS = 250_000_000
"""A larger upload is refused: no camera makes it."""

UPLOAD_DECODE_S = 20.0
"""Seconds that decoding one upload may take."""

UPLOAD_NICENESS = 10
"""How far decoding uploads stands back behind searches and pages."""

UPLOAD_DECODE_BYTES = 1024 * 1024 * 1024
"""Address space of a child that decodes uploads, its libraries included."""

ImageId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Number of a picture of this library.", examples=[5])]
RegionId = Annotated[
    int | None, Query(ge=1, le=2**63 - 1, description="Find pictures like what this box of the library shows.")
]
Collapse = Annotated[
    Literal["none", "near"], Query(description="`near` folds pictures that are nearly the same into the best of them.")
]
LikeId = Annotated[int | None, Query(ge=1, le=2**63 - 1, description="Find pictures like this one of the library.")]
Hits = Annotated[int, Query(ge=1, le=MAX_PAGE_HITS, description="How many hits to return.")]


class Engine:
    """Opens library and service when first needed, so that a server may start before anything has been indexed.

    Args:
        settings: as loaded by the entry point.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._decoders = DecoderPool(_decode_limits(settings), settings.decoders)
        self._opening = threading.Lock()
        self._library: Library | None = None
        self._service: SearchService | None = None
        # Of their own: what strangers send never stands before the pictures of the library.
        self._upload_decoders = DecoderPool(_upload_limits(settings), settings.decoders, niceness=UPLOAD_NICENESS)
        self._asker = PictureAsker(settings.captioner, threads=settings.compute_threads) if settings.captioner else None

    def service(self) -> SearchService:
        """The search service; safe to call from any thread.

        Raises:
            LibraryEmptyError: there is no library at `settings.home` yet.
            LibraryError: there is one, and it cannot be opened.
        """
        with self._opening:
            if self._service is None:
                self._library = Library.open(self.settings.home, self.settings.database_url)
                self._service = SearchService(self._library, wish=EncoderWish.of(self.settings))
            return self._service

    def library(self) -> Library:
        """The library, for what is listed, counted and queued; raises as `service` does."""
        self.service()
        assert self._library is not None  # opened with the service
        return self._library

    def compute(self, what: Callable[[SearchService], T]) -> T:
        """Do something with the service; raises as `search` does."""
        still_wanted()
        return what(self.service())

    def search(self, request: SearchRequest) -> SearchResult:
        """Search.

        Raises:
            NobodyWaitsError: nobody waits for the answer any more.
            DeixisError: whatever the service raises.
        """
        return self.compute(lambda service: service.search(request))

    def facets(self, request: SearchRequest | None) -> Facets:
        """What the pictures of a query, or all, have in common; folders only for whoever is told where files lie."""
        found = self.compute(lambda service: service.facets(request))
        told = tuple(one for one in found.facets if one.name != "folder" or may_see_paths())
        return replace(found, facets=told)

    def heat_map(self, preview: bytes, name: str, text: str) -> HeatMap:
        """Say where in a picture a text is.

        Args:
            preview: the picture as a file.
            name: for messages.
            text: words as for a search.

        Raises:
            DeixisError: whatever the service raises.
        """
        service = self.service()
        pixels = self.decode_bytes(preview, name)
        still_wanted()
        return service.heat_map(pixels, text)

    def point(self, preview: bytes, name: str, query: str) -> tuple[Pointed, ...]:
        """Say where in a picture the things of a query are.

        Args:
            preview: the picture as a file.
            name: for messages.
            query: as for a search.

        Raises:
            DeixisError: whatever the service raises.
        """
        service = self.service()
        pixels = self.decode_bytes(preview, name)
        still_wanted()
        return service.point(pixels, query)

    def job_states(self) -> dict[str, int]:
        """How many jobs of the library are in each state; none where there is no library that can be opened."""
        try:
            return count_states(self.library())
        except (DeixisError, OSError, SQLAlchemyError):
            return {}

    @property
    def answers(self) -> bool:
        """Whether questions about a picture can be asked at all."""
        return self._asker is not None

    def ask(self, preview: bytes, name: str, question: str) -> PictureAnswer:
        """Let the captioner answer a question about a picture; the first one waits for the captioner to load.

        Args:
            preview: the picture as a file.
            name: for messages.
            question: in the words of whoever asks.

        Raises:
            NoCaptionerError: the settings name no captioner.
            PromptError: the question is empty, too long or holds a tag.
            ModelError: the captioner cannot be loaded.
        """
        if self._asker is None:
            raise NoCaptionerError(
                "this server was started without a captioner",
                remedy="Start it with --captioner NAME (DEIXIS_CAPTIONER).",
            )
        return self._asker.ask(self.decode_bytes(preview, name), question)

    def decode(self, request: DecodeRequest) -> Decoded:
        """Decode bytes of the library in a limited child process, which ends when nobody waits for them.

        Raises:
            ImageRefusedError: it is no picture, or one beyond the limits.
            NobodyWaitsError: nobody waits for it any more.
        """
        return accept(self._decoders.decode(request, current_work()))

    def decode_upload(self, data: bytes, name: str, most_pixels: int) -> RgbImage:
        """Decode what a client sent, at no more pixels than are needed.

        Args:
            data: the file's bytes.
            name: for messages.
            most_pixels: of the answer, at a half, a quarter … of the sides where the picture has more.

        Returns:
            HWC uint8 RGB, [0, 255], EXIF-upright.

        Raises:
            ImageRefusedError: it is no picture, or one beyond the limits.
            NobodyWaitsError: nobody waits for it any more.
        """
        request = DecodeRequest(path=name, data=data, most_pixels=most_pixels)
        pixels = accept(self._upload_decoders.decode(request, current_work())).pixels
        assert pixels is not None  # a request without a preview always answers with pixels
        return pixels

    def decode_bytes(self, data: bytes, name: str) -> RgbImage:
        """Decode a preview.

        Args:
            data: the file's bytes.
            name: for messages.

        Returns:
            HWC uint8 RGB, [0, 255], EXIF-upright.

        Raises:
            ImageRefusedError: it is no picture, or one beyond the limits.
        """
        pixels = self.decode(DecodeRequest(path=name, data=data)).pixels
        assert pixels is not None  # a request without a preview always answers with pixels
        return pixels

    def close(self) -> None:
        """End the decoding children and close the library; the engine must not be used afterwards."""
        self._decoders.close()
        self._upload_decoders.close()
        with self._opening:
            if self._library is not None:
                self._library.close()
            self._library = self._service = None


def _decode_limits(settings: Settings) -> DecodeLimits:
    """The decoding limits that the settings ask for."""
    return DecodeLimits(
        max_file_bytes=settings.max_file_bytes,
        max_pixels=settings.max_pixels,
        max_expansion=settings.max_expansion,
        timeout_s=settings.decode_timeout_s,
        memory_bytes=settings.decode_memory_bytes,
    )


def _upload_limits(settings: Settings) -> DecodeLimits:
    """What one upload may cost: no more than a picture of the library, and less where that is generous."""
    return replace(
        _decode_limits(settings),
        max_pixels=min(settings.max_pixels, UPLOAD_MAX_PIXELS),
        timeout_s=min(settings.decode_timeout_s, UPLOAD_DECODE_S),
        memory_bytes=min(settings.decode_memory_bytes, UPLOAD_DECODE_BYTES),
    )


def _engine_of(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def known_parameters(request: Request) -> None:
    """Refuse query parameters that a route does not have: a filter that is ignored in silence looks like an answer.

    Raises:
        UnknownParameterError: names those that there are.
    """
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = sorted(field.alias for field in route.dependant.query_params)
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        raise UnknownParameterError(
            f"there is no parameter {unknown[0][:80]!r} here",
            remedy=f"Known: {', '.join(known)}." if known else "This address takes none.",
        )


EngineDep = Annotated[Engine, Depends(_engine_of)]
