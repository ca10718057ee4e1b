"""Boxes and their vectors: which have none yet, and whose vector stands for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from search.db.chunks import chunks
from search.db.schema import Embedding, File, Image, Region
from search.db.told import told
from vision.types import Box


@dataclass(frozen=True, slots=True)
class BoxedPlace:
    """A box of one picture; `region_id` is the first of its regions, which owns the vector."""

    region_id: int
    image_id: int
    sha256: str
    box: Box


def places_without_vector(
    session: Session, model_id: int, limit: int, after: tuple[int, int] = (0, 0)
) -> list[BoxedPlace]:
    """Boxes of shown pictures that the model has not looked at, each once however many phrases name it.

    Args:
        limit: at most so many.
        after: `(image_id, region_id)` behind which to begin; that is their order.
    """
    query = (
        select(Region.id, Region.image_id, Image.sha256, Region.x0, Region.y0, Region.x1, Region.y1)
        .join(Image, Image.id == Region.image_id)
        .where(
            Region.image_id >= after[0],
            or_(Region.image_id > after[0], Region.id > after[1]),
            *_lacking(model_id),
        )
        .order_by(Region.image_id, Region.id)
        .limit(limit)
    )
    return [BoxedPlace(row[0], row[1], row[2], Box(*row[3:])) for row in session.execute(query)]


def count_without_vector(session: Session, model_id: int) -> int:
    """How many boxes of shown pictures the model has not looked at."""
    return session.scalar(select(func.count()).select_from(Region).where(*_lacking(model_id))) or 0


def vectors_of_regions(session: Session, model_id: int, region_ids: Sequence[int]) -> dict[int, int]:
    """Embedding ids by region, its own or that of a region with the same box; a region without one is left out."""
    twin = aliased(Region)
    query = (
        select(Region.id, Embedding.id)
        .join(twin, _same_box(twin))
        .join(Embedding, Embedding.region_id == twin.id)
        .where(Embedding.model_id == model_id, told(Region))
    )
    found: dict[int, int] = {}
    for some in chunks(list(region_ids)):
        found.update({row[0]: row[1] for row in session.execute(query.where(Region.id.in_(some)))})
    return found


def regions_of_vectors(session: Session, embedding_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """`(image_id, region_id)` by embedding, of the first region with its box that is told; others are left out."""
    twin = aliased(Region)
    own = select(Embedding.id, Region.image_id, Region.id).join(Region, Region.id == Embedding.region_id)
    found: dict[int, tuple[int, int]] = {}
    for some in chunks(list(embedding_ids)):
        rows = session.execute(own.where(Embedding.id.in_(some), told(Region)))
        found.update({row[0]: (row[1], row[2]) for row in rows})
        rest = [one for one in some if one not in found]
        if rest:
            shared = select(Embedding.id, Region.image_id, func.min(twin.id)).group_by(Embedding.id, Region.image_id)
            shared = shared.join(Region, Region.id == Embedding.region_id).join(twin, _same_box(twin))
            rows = session.execute(shared.where(Embedding.id.in_(rest), told(twin)))
            found.update({row[0]: (row[1], row[2]) for row in rows})
    return found


def region_vectors_of_images(session: Session, model_id: int, image_ids: Sequence[int]) -> list[tuple[int, int]]:
    """`(image_id, embedding_id)` of every box of some pictures that is told and has a vector."""
    query = select(Region.image_id, Embedding.id).join(Embedding, Embedding.region_id == Region.id)
    found: list[tuple[int, int]] = []
    for some in chunks(list(image_ids)):
        rows = session.execute(query.where(Embedding.model_id == model_id, Region.image_id.in_(some), box_is_told()))
        found += [(image_id, embedding_id) for image_id, embedding_id in rows]
    return found


def hand_on_vectors(session: Session, going: Select[Any]) -> int:
    """Give the vectors of regions that are about to be erased to others with the same box; returns how many.

    Args:
        going: selects the ids of those that will go.
    """
    twin = aliased(Region)
    query = (
        select(Embedding.id, func.min(twin.id))
        .join(Region, Region.id == Embedding.region_id)
        .join(twin, _same_box(twin))
        .where(Region.id.in_(going), twin.id.not_in(going))
        .group_by(Embedding.id)
    )
    heirs = [{"id": embedding_id, "region_id": region_id} for embedding_id, region_id in session.execute(query)]
    for some in chunks(heirs):
        session.execute(update(Embedding), list(some))
    return len(heirs)


def box_is_told() -> ColumnElement[bool]:
    """That a region, or another one with its box, is told: the first of them owns the vector, told or not."""
    twin = aliased(Region)
    return or_(told(Region), exists().where(_same_box(twin), told(twin)))


def _same_box(twin: type[Region]) -> ColumnElement[bool]:
    # Compared as stored: phrases of one caption share the very numbers, and what differs gets a vector of its own.
    sides = (getattr(twin, side) == getattr(Region, side) for side in ("x0", "y0", "x1", "y1"))
    return and_(twin.image_id == Region.image_id, *sides)


def _lacking(model_id: int) -> tuple[ColumnElement[bool], ...]:
    """That a region shows a thing on a shown picture, and is the first with its box, of which none has a vector."""
    twin, other = aliased(Region), aliased(Region)
    return (
        # A line of text looks like any other: it is found by its words.
        Region.is_read.is_(False),
        exists().where(File.image_id == Region.image_id, File.state == "indexed"),
        ~exists().where(_same_box(twin), twin.id < Region.id, twin.is_read.is_(False)),
        ~exists().where(_same_box(other), Embedding.region_id == other.id, Embedding.model_id == model_id),
    )
