"""Which captions and boxes are told: all but those of generations that rest. What searches and shows asks here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from search.db.caption_tables import CaptionGeneration
from search.db.schema import Caption, Region

_RESTING = select(CaptionGeneration.id).where(CaptionGeneration.resting)


def told(table: type[Caption] | type[Region]) -> ColumnElement[bool]:
    """That what a row says is searched and shown."""
    return or_(table.generation_id.is_(None), table.generation_id.not_in(_RESTING))


def anything_rests(session: Session) -> bool:
    """Whether there is a generation that is kept and not told."""
    return bool(session.scalar(select(exists().where(CaptionGeneration.resting))))


def choice() -> ScalarSelect[Any]:
    """A number that is another one when other generations rest, as a subquery; 0 where none does."""
    total = func.coalesce(func.sum(CaptionGeneration.token), 0)
    return select(cast(total, BigInteger)).where(CaptionGeneration.resting).scalar_subquery()
