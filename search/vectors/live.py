"""The live set: which embeddings a search may find."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Exists, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from search.db.chunks import chunks
from search.db.schema import Caption, Embedding, File, Region

KINDS = ("image", "text")
"""What can be embedded."""


def live_ids(session: Session, model_id: int, kind: str) -> NDArray[np.int64]:
    """Embeddings that belong to something a person can be shown.

    An image's embedding lives while at least one file in state `indexed` holds the image; a text's, while a caption
    or a region of such an image uses the text.

    Returns:
        `(n,)` int64 embedding ids, ascending.
    """
    query = select(Embedding.id).where(Embedding.model_id == model_id, Embedding.kind == kind)
    query = query.where(shown(Embedding.image_id) if kind == "image" else _used())
    return np.fromiter(session.scalars(query.order_by(Embedding.id)), np.int64)


def live_among(session: Session, kind: str, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the embeddings that live, ascending; all are of this kind."""
    alive = shown(Embedding.image_id) if kind == "image" else _used()
    found: list[int] = []
    for some in chunks(ids.tolist()):
        found += session.scalars(select(Embedding.id).where(Embedding.id.in_(some), alive))
    return np.array(sorted(found), np.int64)


def is_member(ids: NDArray[np.int64], ascending: NDArray[np.int64]) -> NDArray[np.bool_]:
    """`(n,)` bool: which of the ids are in the ascending set.

    `np.isin` would sort the whole set for every block.
    """
    if len(ascending) == 0:
        return np.zeros(len(ids), np.bool_)
    at = np.minimum(np.searchsorted(ascending, ids), len(ascending) - 1)
    found: NDArray[np.bool_] = ascending[at] == ids
    return found


def _used() -> ColumnElement[bool]:
    """Whether a caption or a region of a shown image uses the embedding's text."""
    return or_(
        exists().where(Caption.text_id == Embedding.text_id, shown(Caption.image_id)),
        exists().where(Region.text_id == Embedding.text_id, shown(Region.image_id)),
    )


def ids_digest(ids: NDArray[np.int64]) -> str:
    """SHA-256 (hex) of ascending embedding ids as little-endian int64."""
    return hashlib.sha256(ids.astype("<i8").tobytes()).hexdigest()


def shown(image_id: InstrumentedAttribute[int] | InstrumentedAttribute[int | None]) -> Exists:
    """Whether an indexed file holds the image that this column names."""
    return exists().where(File.image_id == image_id, File.state == "indexed")
