"""Which pictures are nearly the same as a given one, among some that were found to be like it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import Image
from search.near import NEAR_BITS, unsigned
from vision.perceptual import PLAIN


def near_copies(session: Session, image_id: int, among: Sequence[int]) -> frozenset[int]:
    """Those that are nearly the same, by the hashes of what they look like; none of a plain picture.

    Args:
        session: open for reading.
        image_id: the picture.
        among: ids of others.
    """
    own = session.scalar(select(Image.perceptual_hash).where(Image.id == image_id))
    if own is None or own == PLAIN:
        return frozenset()
    found: set[int] = set()
    for some in chunks(among):
        rows = session.execute(select(Image.id, Image.perceptual_hash).where(Image.id.in_(list(some))))
        for other, seen in rows:
            if (
                seen is not None
                and seen != PLAIN
                and (int(unsigned(seen)) ^ int(unsigned(own))).bit_count() <= NEAR_BITS
            ):
                found.add(other)
    return frozenset(found)
