"""Rows of images by the hash of their bytes: found, or made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.images import ImageFact
from search.db.schema import Embedding, Image


def contents_with_vector(session: Session, hashes: Sequence[str], model_id: int) -> set[str]:
    """Which of these contents have an image with a vector of this model."""
    found: set[str] = set()
    for some in chunks(hashes):
        found.update(
            session.scalars(
                select(Image.sha256)
                .join(Embedding, Embedding.image_id == Image.id)
                .where(Image.sha256.in_(some), Embedding.model_id == model_id)
            )
        )
    return found


def get_or_create_images(session: Session, facts: Mapping[str, ImageFact]) -> tuple[dict[str, int], set[str]]:
    """Ids of the images with these contents, by content hash; and the hashes of those that were made just now."""
    known: dict[str, Image] = {}
    for some in chunks(list(facts)):
        known |= {image.sha256: image for image in session.scalars(select(Image).where(Image.sha256.in_(some)))}
    for sha256, image in known.items():
        # An older library knows neither digests of pixels nor what they look like; `index --rescan` brings them.
        fact = facts[sha256]
        image.pixels_sha256 = image.pixels_sha256 or fact.pixels_sha256
        if fact.perceptual_hash is not None:
            image.perceptual_hash = fact.perceptual_hash
        image.facts_version = fact.facts_version or image.facts_version
    fresh = {sha256: _image(fact) for sha256, fact in facts.items() if sha256 not in known}
    session.add_all(fresh.values())
    session.flush()
    return {sha256: image.id for sha256, image in (known | fresh).items()}, set(fresh)


def _image(fact: ImageFact) -> Image:
    return Image(
        sha256=fact.sha256,
        width_px=fact.width_px,
        height_px=fact.height_px,
        format=fact.format,
        size_bytes=fact.size_bytes,
        taken_at=fact.taken_at,
        taken_offset_min=fact.taken_offset_min,
        pixels_sha256=fact.pixels_sha256,
        remark=fact.remark,
        perceptual_hash=fact.perceptual_hash,
        facts_version=fact.facts_version,
        created_at=datetime.now(UTC),
    )
