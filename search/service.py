"""The engine's front door: one call that answers a query, and the look-ups that the pages need."""

from __future__ import annotations

import threading
import time

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from search.db.details import image_detail, library_status, recent_images
from search.db.schema import Embedding, Model
from search.encoder import EncoderWish, active_row, nothing_indexed, open_bound
from search.errors import NotFoundError, QueryError
from search.library import Library
from search.query.explain import explain_hits
from search.query.hydrate import hydrate
from search.query.plan import QueryPlan, check_page, plan_query
from search.query.retrieve import Candidates, retrieve
from search.results import (
    CaptionInfo,
    FileInfo,
    HeatMap,
    Hit,
    ImageDetail,
    LibraryStatus,
    MatchedCaption,
    MatchedRegion,
    RegionInfo,
    SearchRequest,
    SearchResult,
)
from vision.encoders.base import Encoder, LocatingEncoder
from vision.overlay_images import scale_from_middle
from vision.types import RgbImage

__all__ = [
    "CaptionInfo",
    "FileInfo",
    "HeatMap",
    "Hit",
    "ImageDetail",
    "LibraryStatus",
    "MatchedCaption",
    "MatchedRegion",
    "RegionInfo",
    "SearchRequest",
    "SearchResult",
    "SearchService",
]


class SearchService:
    """Answers queries over a library; safe to share between threads.

    Args:
        library: open; the caller closes it.
        encoder: the library's own; None to load it from where the library remembers it, at the first need.
        wish: where to load the library's encoder from instead, e.g. because it moved, with how many threads; a backend
            or precision that is not the library's is refused.
    """

    def __init__(self, library: Library, encoder: Encoder | None = None, *, wish: EncoderWish | None = None) -> None:
        self._library = library
        self._encoder = encoder
        self._given = encoder is not None
        self._wish = wish or EncoderWish()
        self._loading = threading.Lock()

    def warm(self) -> None:
        """Load and check the encoder now rather than at the first query.

        Raises:
            LibraryEmptyError: nothing has been indexed yet.
            ModelError: the encoder cannot be loaded.
            ModelMismatchError: it is not the one that made the library's vectors.
        """
        self._ready_encoder(self._active_model())

    def search(self, request: SearchRequest) -> SearchResult:
        """Rank the pictures of the library by how well they answer the request.

        Raises:
            QueryError: the request is malformed.
            LibraryEmptyError: nothing has been indexed yet.
            NotFoundError: `like_image_id` is not a picture of the library.
            ModelMismatchError: the encoder is not the one that made the library's vectors.
        """
        started = time.perf_counter()
        check_page(request.k, request.offset)
        if sum(part is not None for part in (request.text, request.image, request.like_image_id)) != 1:
            raise QueryError("a search wants exactly one of: text, a picture, a picture of the library")
        plan = plan_query(request.text) if request.text is not None else None
        model = self._active_model()
        vector = self._query_vector(request, plan, model)
        hits, more, candidates = self._answer(request, plan, model, vector)
        return SearchResult(
            query=plan.text if plan else "",
            hits=hits,
            more=more,
            images_searched=candidates.images_searched,
            took_ms=(time.perf_counter() - started) * 1000,
            model=model.name,
            waiting=candidates.waiting,
        )

    def heat_map(self, image: RgbImage, text: str) -> HeatMap:
        """Say where in a picture a text is.

        Args:
            image: HWC uint8 RGB, upright; of the library or not.
            text: words as for a search.

        Raises:
            QueryError: the text is empty or too long.
            LibraryEmptyError: nothing has been indexed yet, so that there is no encoder.
            NoHeatMapError: the encoder cannot compare patches with words.
            ModelError: the encoder cannot be loaded.
            ModelMismatchError: it is not the one that made the library's vectors.
        """
        from vision.localize import heat_maps  # noqa: PLC0415 (only needed here, and not at every start)

        words = plan_query(text).text
        encoder = self._ready_encoder(self._active_model())
        started = time.perf_counter()
        maps = heat_maps(encoder, image, [words])
        return HeatMap(
            text=words,
            heat=maps.maps[0],
            covers=maps.covers,
            scale=scale_from_middle(maps.maps[0]),
            model=encoder.facts.name,
            took_ms=(time.perf_counter() - started) * 1000,
        )

    @property
    def may_have_heat_maps(self) -> bool:
        """Whether a heat map is worth asking for; True as long as the encoder is not loaded and nobody knows."""
        return self._encoder is None or isinstance(self._encoder, LocatingEncoder)

    def encoder_identity(self) -> str:
        """What the library's vectors and heat maps depend on, 64 hex digits.

        Raises:
            LibraryEmptyError: nothing has been indexed yet.
        """
        return self._active_model().identity

    def image(self, image_id: int) -> ImageDetail:
        """Everything known of one picture.

        Raises:
            NotFoundError: there is no such picture.
        """
        with self._library.read() as session:
            detail = image_detail(session, image_id)
        if detail is None:
            raise NotFoundError(f"there is no picture {image_id} in this library")
        return detail

    def recent(self, k: int = 40, offset: int = 0) -> SearchResult:
        """The pictures indexed last, newest first, with score 0 and no reasons: for a page without a query."""
        started = time.perf_counter()
        check_page(k, offset)
        with self._library.read() as session:
            ids = recent_images(session, k + 1, offset)
            hits = hydrate(session, [(image_id, {}) for image_id in ids[:k]], first_rank=offset + 1)
            model = self._library.active_model(session)
            name = model.name if model else ""
        took_ms = (time.perf_counter() - started) * 1000
        return SearchResult("", hits, len(ids) > k, len(hits), took_ms, name)

    def status(self) -> LibraryStatus:
        """How much there is; works on an empty library too."""
        with self._library.read() as session:
            model = self._library.active_model(session)
            return library_status(session, model)

    def _answer(
        self, request: SearchRequest, plan: QueryPlan | None, model: Model, vector: NDArray[np.float32]
    ) -> tuple[tuple[Hit, ...], bool, Candidates]:
        wanted = request.offset + request.k + 1
        with self._library.read() as session:
            candidates: Candidates = retrieve(
                session,
                self._library.vectors,
                model.id,
                vector,
                words=plan.words if plan and request.annotations else None,
                limit=wanted,
                without=request.like_image_id,
            )
            page = candidates.ranked[request.offset : request.offset + request.k]
            hits = hydrate(session, [(entry.image_id, entry.parts) for entry in page], first_rank=request.offset + 1)
            if plan is not None and request.annotations:
                hits = explain_hits(session, hits, candidates)
        return hits, len(candidates.ranked) > request.offset + request.k, candidates

    def _active_model(self) -> Model:
        model = active_row(self._library)
        if model is None:
            raise nothing_indexed()
        return model

    def _ready_encoder(self, model: Model) -> Encoder:
        with self._loading:
            if self._encoder is None or self._encoder.facts.identity != model.identity:
                # One that was loaded here is replaced when `index --replace-model` has moved the library to another.
                encoder = self._encoder if self._encoder is not None and self._given else open_bound(model, self._wish)
                with self._library.read() as session:
                    self._library.check_model(session, encoder.facts)
                self._encoder = encoder
        return self._encoder

    def _query_vector(self, request: SearchRequest, plan: QueryPlan | None, model: Model) -> NDArray[np.float32]:
        if request.like_image_id is not None:
            return self._stored_vector(request.like_image_id, model)
        encoder = self._ready_encoder(model)
        if plan is not None:
            return encoder.encode_text([plan.text])
        assert request.image is not None  # search() checked that one of the three is there
        return encoder.encode_images([request.image])

    def _stored_vector(self, image_id: int, model: Model) -> NDArray[np.float32]:
        with self._library.read() as session:
            query = select(func.max(Embedding.id)).where(Embedding.image_id == image_id, Embedding.model_id == model.id)
            embedding_id = session.scalar(query)
        if embedding_id is None:
            raise NotFoundError(f"there is no picture {image_id} in this library")
        return self._library.vectors.fetch([embedding_id])
