"""The engine's front door: one call that answers a query, and the look-ups that the pages need."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from sqlalchemy.orm import Session

from search.db.details import image_detail, library_status, recent_images, region_detail
from search.db.schema import Model
from search.encoder import EncoderWish, bound_row, nothing_indexed, open_bound
from search.errors import NotFoundError
from search.facets import Facets, find_facets
from search.library import Library
from search.looked import HeatMap, Pointed
from search.patches.asking import OnRequest
from search.previews import PreviewStore
from search.query.answer import Stages
from search.query.deriving import STRONG, pointed_phrases
from search.query.engine import Embedded, Wanted, plan, unread_words
from search.query.hydrate import plain_hits
from search.query.page import Asked, answer_page
from search.query.plan import check_page, clean_text, read_request
from search.query.sources.regions import vectors_or_crops
from search.results import (
    Hit,
    ImageDetail,
    LibraryStatus,
    MatchedRegion,
    MatchedRelation,
    RegionInfo,
    SearchRequest,
    SearchResult,
)
from search.snapshot import Readiness, Snapshot, readiness, take_snapshot
from search.text_batches import TextBatches
from vision.encoders.base import Encoder
from vision.localize import can_locate
from vision.overlay_images import scale_from_middle, scale_of_strength
from vision.types import RgbImage
from vision.wanted import still_wanted

_T = TypeVar("_T")

__all__ = [
    "HeatMap",
    "Hit",
    "ImageDetail",
    "LibraryStatus",
    "MatchedRegion",
    "MatchedRelation",
    "Pointed",
    "Readiness",
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
        view: what searches see of the library's state, for measuring (`search.query.unsaid`); all of it if left out.
    """

    def __init__(
        self,
        library: Library,
        encoder: Encoder | None = None,
        *,
        wish: EncoderWish | None = None,
        view: Callable[[Session, Snapshot], Snapshot] | None = None,
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._given = encoder is not None
        self._wish = wish or EncoderWish()
        self._view = view
        self._loading = threading.Lock()
        self._pointing = OnRequest(library)
        self._texts = TextBatches()

    def warm(self) -> Readiness:
        """Load encoder, indexes and catalogue now rather than at the first query: then a query would be answered.

        Once they are loaded it costs as much as a query needs to see that nothing has changed.

        Raises:
            LibraryEmptyError: nothing has been indexed yet.
            ModelError: the encoder cannot be loaded.
            ModelMismatchError: it is not the one that made the library's vectors.
            CorruptionError: an index or the catalogue is missing or not what was written.
        """
        self.encoder()
        with self._library.read() as session:
            if (snapshot := self._snapshot(session)).images.size + snapshot.images.waiting == 0:
                raise nothing_indexed()
            return readiness(session, snapshot)

    def search(self, request: SearchRequest) -> SearchResult:
        """Rank the pictures of the library by how well they answer the request; queries embed their words together.

        Raises:
            NobodyWaitsError: nobody waits for the answer any more.
            QueryError: the request is malformed.
            LibraryEmptyError: nothing has been indexed yet.
            NotFoundError: a picture or region that it names is not of the library.
            ModelMismatchError: the encoder is not the one that made the library's vectors.
        """
        started, stages = time.perf_counter(), Stages()
        check_page(request.k, request.offset)
        with stages.time("parse"):
            parsed = read_request(request)
            wanted = plan(parsed.root, parsed.sort, request)
        with self._library.read() as session:
            with stages.time("snapshot"):
                snapshot = self._snapshot(session)
            with stages.time("embed"):
                embedded = self._embed(session, snapshot, wanted, request)
            page = answer_page(session, snapshot, Asked(request, wanted, embedded), stages)
        return SearchResult(
            query=parsed.text,
            hits=page.hits,
            more=page.more,
            images_searched=snapshot.images.size,
            took_ms=(time.perf_counter() - started) * 1000,
            model=snapshot.model.name,
            waiting=snapshot.images.waiting,
            likely=page.likely,
            nearest=page.nearest,
            unread=embedded.unread,
            tokens=parsed.tokens,
            remarks=parsed.remarks,
            timings_ms=stages.spent_ms,
        )

    def facets(self, request: SearchRequest | None = None) -> Facets:
        """Count what the pictures of a query have in common, or those of the whole library; raises as `search` does."""
        parsed = None if request is None else read_request(request)
        with self._library.read() as session:
            snapshot = self._snapshot(session)
            asked: Asked | None = None
            if request is not None and parsed is not None:
                wanted = plan(parsed.root, parsed.sort, request)
                asked = Asked(request, wanted, self._embed(session, snapshot, wanted, request))
            return find_facets(session, snapshot, asked)

    def encoder(self) -> Encoder:
        """The library's own encoder, loaded at the first need; raises as `warm` does."""
        return self._ready_encoder(bound_row(self._library))

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

        words = clean_text(text)
        model = bound_row(self._library)
        encoder = self._ready_encoder(model)
        started = time.perf_counter()
        maps = heat_maps(encoder, image, [words])
        (pointed,) = self._pointing.point(encoder, model, image, [words])
        heat, strength = maps.maps[0], pointed.strength
        return HeatMap(
            text=words,
            heat=heat,
            covers=maps.covers,
            scale=scale_from_middle(heat) if strength is None else scale_of_strength(heat, strength),
            box=pointed.box,
            strength=strength,
            model=encoder.facts.name,
            took_ms=(time.perf_counter() - started) * 1000,
        )

    def point(self, image: RgbImage, query: str) -> tuple[Pointed, ...]:
        """Say where in a picture the things of a query are: all of them, or none where one is not surely there.

        Args:
            image: HWC uint8 RGB, upright; of the library or not.
            query: as for a search.

        Raises:
            QueryError: the query is empty or too long.
            LibraryEmptyError: nothing has been indexed yet, so that there is no encoder.
            NoHeatMapError: the encoder cannot compare patches with words.
        """
        request = SearchRequest(text=clean_text(query))
        parsed = read_request(request)
        asks = plan(parsed.root, parsed.sort, request).asks
        phrases = pointed_phrases(asks[0]) if asks else ()
        if not phrases:
            return ()
        model = bound_row(self._library)
        found = self._pointing.point(self._ready_encoder(model), model, image, phrases)
        sure = all(one.box is not None and one.strength is not None and one.strength >= STRONG for one in found)
        return found if sure else ()

    @property
    def points_on_request(self) -> bool:
        """Whether boxes can be had by looking at a picture, and do not come with the hits already."""
        return self.may_have_heat_maps and self._library.patches.store.kept() is None

    @property
    def may_have_heat_maps(self) -> bool:
        """Whether a heat map is worth asking for; True as long as the encoder is not loaded and nobody knows."""
        return self._encoder is None or can_locate(self._encoder)

    def heat_basis(self) -> str:
        """What heat maps depend on besides picture and words: equal texts are equal maps.

        Raises:
            LibraryEmptyError: nothing has been indexed yet.
        """
        return self._pointing.basis(bound_row(self._library))

    def image(self, image_id: int) -> ImageDetail:
        """Everything known of one picture.

        Raises:
            NotFoundError: there is no such picture.
        """
        detail = self.look(lambda session: image_detail(session, image_id))
        if detail is None:
            raise NotFoundError(f"there is no picture {image_id} in this library")
        return detail

    def region(self, region_id: int) -> tuple[ImageDetail, RegionInfo]:
        """A box and the picture that it is on; raises `NotFoundError` where there is no such box."""
        return self.look(lambda session: region_detail(session, region_id))

    def look(self, query: Callable[[Session], _T]) -> _T:
        """What a query of `search.db` finds on one snapshot of the database."""
        with self._library.read() as session:
            return query(session)

    def recent(self, k: int = 40, offset: int = 0) -> SearchResult:
        """The pictures indexed last, newest first, with score 0 and no reasons: for a page without a query."""
        started = time.perf_counter()
        check_page(k, offset)
        with self._library.read() as session:
            ids = recent_images(session, k + 1, offset)
            hits, model = plain_hits(session, ids[:k], offset + 1), self._library.active_model(session)
        took_ms = (time.perf_counter() - started) * 1000
        return SearchResult("", hits, len(ids) > k, len(hits), took_ms, model.name if model else "")

    def status(self) -> LibraryStatus:
        """How much there is; works on an empty library too."""
        return self.look(lambda session: library_status(session, self._library.active_model(session)))

    def _snapshot(self, session: Session) -> Snapshot:
        snapshot = take_snapshot(self._library, session)
        if snapshot is None:
            raise nothing_indexed()
        return snapshot if self._view is None else self._view(session, snapshot)

    def _ready_encoder(self, model: Model) -> Encoder:
        with self._loading:
            if self._encoder is None or self._encoder.facts.identity != model.identity:
                # One that was loaded here is replaced when `index --replace-model` has moved the library to another.
                encoder = self._encoder if self._encoder is not None and self._given else open_bound(model, self._wish)
                with self._library.read() as session:
                    self._library.check_model(session, encoder.facts)
                self._encoder = encoder
        return self._encoder

    def _embed(self, session: Session, snapshot: Snapshot, wanted: Wanted, request: SearchRequest) -> Embedded:
        """All that has to be embedded, in one batch each; a box that has a vector is not looked at again."""
        texts, pictures, model = wanted.texts, list(request.pictures), snapshot.model
        stored, crops = vectors_or_crops(session, snapshot, PreviewStore(self._library.home), wanted.regions)
        pictures += crops.values()
        none = np.empty((0, model.dim), np.float32)
        encoder = self._ready_encoder(model) if texts or pictures else None
        by_text = self._texts.encode(encoder, texts) if encoder is not None and texts else none
        seen = encoder.encode_images(pictures) if encoder is not None and pictures else none
        still_wanted()
        given = len(request.pictures)
        by_region = stored | dict(zip(crops, seen[given:], strict=True))
        unread = unread_words(self._encoder, wanted)
        return Embedded(dict(zip(texts, by_text, strict=True)), seen[:given], by_region, unread)
