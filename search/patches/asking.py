"""Point at things in one picture on request: its own looks, judged by what patches reach on other pictures."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from sqlalchemy import select

from search.db.schema import Image, Model
from search.library import Library
from search.looked import Pointed
from search.patches.boxes import derived_boxes
from search.patches.kept import age_of, sampled_images
from search.patches.scores import patch_units, peaks_of
from search.previews import GALLERY_PX, PreviewStore
from vision.encoders.base import Encoder
from vision.looks import WHOLE, Looks, look_at_pictures
from vision.types import RgbImage

_SAMPLED = 24
"""Pictures that are looked at once to judge by, where the library keeps no patches."""


class OnRequest:
    """Points at things in any picture; safe to call from several threads.

    Args:
        library: open.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = Lock()
        self._sampled: tuple[str, int, tuple[Looks, ...]] | None = None

    def point(self, encoder: Encoder, model: Model, image: RgbImage, phrases: Sequence[str]) -> tuple[Pointed, ...]:
        """Where each phrase is, and how surely it is there at all.

        Args:
            encoder: the library's.
            model: its row.
            image: HWC uint8 RGB, upright; of the library or not.
            phrases: at least one.

        Raises:
            NoHeatMapError: the encoder has no patches in the space of its texts.
        """
        (looks,) = look_at_pictures(encoder, [image])
        texts = encoder.encode_text(phrases)
        cosines = looks.cosines(texts)
        units = patch_units(self._sample(encoder, model), texts)
        strengths = None if units is None else units.strengths(peaks_of([looks], [cosines], units.looks))[0]
        return tuple(
            Pointed(
                phrase,
                derived_boxes([looks], [cosines[:, number]])[0],
                None if strengths is None else round(float(strengths[number]), 4),
            )
            for number, phrase in enumerate(phrases)
        )

    def basis(self, model: Model) -> str:
        """What strengths follow from besides picture and phrase: equal texts are equal strengths."""
        with self._library.read() as session:
            age = age_of(self._library.catalogues.current(session, model.id))
        kept = self._library.patches.store.kept()
        return f"{model.identity}:{age}:{kept.looks if kept is not None and kept.model == model.identity else 0}"

    def _sample(self, encoder: Encoder, model: Model) -> tuple[Looks, ...]:
        with self._library.read() as session:
            catalogue = self._library.catalogues.current(session, model.id)
            kept = self._library.patches
            if kept.keeps(model) and (known := kept.sample(session, model, catalogue)):
                return known
            age = age_of(catalogue)
            with self._lock:
                if self._sampled is not None and self._sampled[:2] == (model.identity, age):
                    return self._sampled[2]
            wanted = sampled_images(catalogue, _SAMPLED)
            hashes = list(session.scalars(select(Image.sha256).where(Image.id.in_(wanted)).order_by(Image.id)))
        seen = tuple(look_at_pictures(encoder, _previews(self._library, hashes), WHOLE))
        with self._lock:
            self._sampled = (model.identity, age, seen)
        return seen


def _previews(library: Library, hashes: Sequence[str]) -> list[RgbImage]:
    store = PreviewStore(library.home)
    found = [store.pixels(sha256, GALLERY_PX) for sha256 in hashes]
    return [picture for picture in found if picture is not None]
