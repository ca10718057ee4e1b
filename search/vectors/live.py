"""The live set: which embeddings a search may find."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Exists, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from search.db.chunks import chunks
from search.db.region_rows import box_is_told
from search.db.schema import Caption, Embedding, File, Region
from search.db.told import told

OWNERS: Mapping[str, InstrumentedAttribute[int | None]] = {
    "image": Embedding.image_id,
    "text": Embedding.text_id,
    "region": Embedding.region_id,
}
"""What can be embedded, and which column says whose vector it is: a space is a model and one of these kinds."""

KINDS = tuple(OWNERS)

CODES: Mapping[str, int] = {"image": 1, "text": 2, "region": 3}
"""What a segment's header calls each of them; a number is never given to another kind."""


def live_ids(session: Session, model_id: int, kind: str) -> NDArray[np.int64]:
    """Embeddings that belong to something a person can be shown.

    An image's embedding lives while at least one file in state `indexed` holds the image; a text's, while a caption
    or a region of such an image uses the text and is told; a region's, while it or another one with its box is told and
    its image is shown.

    Returns:
        `(n,)` int64 embedding ids, ascending.
    """
    query = select(Embedding.id).where(Embedding.model_id == model_id, Embedding.kind == kind)
    query = query.where(_alive(kind))
    return np.fromiter(session.scalars(query.order_by(Embedding.id)), np.int64)


def live_among(session: Session, kind: str, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the embeddings that live, ascending; all are of this kind."""
    alive = _alive(kind)
    found: list[int] = []
    for some in chunks(ids.tolist()):
        found += session.scalars(select(Embedding.id).where(Embedding.id.in_(some), alive))
    return np.array(sorted(found), np.int64)


def _alive(kind: str) -> ColumnElement[bool]:
    if kind == "region":
        return exists().where(Region.id == Embedding.region_id, shown(Region.image_id), box_is_told())
    return shown(Embedding.image_id) if kind == "image" else _used()


def _used() -> ColumnElement[bool]:
    """Whether a caption or a region of a shown image uses the embedding's text."""
    return or_(
        exists().where(Caption.text_id == Embedding.text_id, told(Caption), shown(Caption.image_id)),
        exists().where(Region.text_id == Embedding.text_id, told(Region), shown(Region.image_id)),
    )


def ids_digest(ids: NDArray[np.int64]) -> str:
    """SHA-256 (hex) of ascending embedding ids as little-endian int64."""
    return hashlib.sha256(ids.astype("<i8").tobytes()).hexdigest()


def shown(image_id: InstrumentedAttribute[int] | InstrumentedAttribute[int | None]) -> Exists:
    """Whether an indexed file holds the image that this column names."""
    return exists().where(File.image_id == image_id, File.state == "indexed")
