"""What is said of pictures, for many at once: their captions, and the phrases that begin like what somebody types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import Caption, Region, TextBody
from search.db.told import told

_LONGEST = 60
"""Characters of a phrase that is worth suggesting."""

_LOOKED_AT = 400
"""Phrases of which the most frequent are chosen: bounds what a single letter costs."""


@dataclass(frozen=True, slots=True)
class Said:
    """A caption without its regions; `machine` tells that a captioner wrote it."""

    caption_id: int
    text: str
    source: str
    language: str | None
    machine: bool


def captions_of(session: Session, image_ids: Sequence[int]) -> dict[int, tuple[Said, ...]]:
    """The captions of pictures, those that people wrote first; pictures without any are left out."""
    found: dict[int, list[Said]] = defaultdict(list)
    for some in chunks(image_ids):
        rows = session.execute(
            select(Caption, TextBody.body)
            .join(TextBody, TextBody.id == Caption.text_id)
            .where(Caption.image_id.in_(list(some)), told(Caption))
            .order_by(Caption.id)
        )
        for caption, body in rows:
            machine = caption.generation_id is not None
            found[caption.image_id].append(Said(caption.id, body, caption.source, caption.language, machine))
    return {image_id: tuple(sorted(said, key=lambda one: one.machine)) for image_id, said in found.items()}


def phrases_like(session: Session, beginning: str, most: int) -> list[str]:
    """Phrases of the library that begin, or have a word that begins, with these letters; the most frequent first.

    Args:
        beginning: letters as they are typed, whatever their case.
        most: how many at most.
    """
    begins = TextBody.body.istartswith(beginning, autoescape=True)
    inside = TextBody.body.icontains(f" {beginning}", autoescape=True)
    points = exists().where(Region.text_id == TextBody.id, Region.is_read.is_(False), told(Region))
    bodies = dict(
        session.execute(
            select(TextBody.id, TextBody.body)
            .where(or_(begins, inside), func.length(TextBody.body) <= _LONGEST, points)
            .limit(_LOOKED_AT)
        ).all()
    )
    counts = dict(
        session.execute(
            select(Region.text_id, func.count()).where(Region.text_id.in_(list(bodies))).group_by(Region.text_id)
        ).all()
    )
    folded = beginning.casefold()
    ranked = sorted(
        bodies.items(), key=lambda one: (not one[1].casefold().startswith(folded), -counts.get(one[0], 0), one[1])
    )
    distinct: dict[str, str] = {}
    for _, body in ranked:
        distinct.setdefault(body.casefold(), body)
    return list(distinct.values())[:most]
