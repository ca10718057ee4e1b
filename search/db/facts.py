"""Facts that pictures carry: written anew whenever their source is read, and read for a picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from search.db.limits import holdable
from search.db.schema import Fact, Image
from vision.carried.facts import VERSION, Carried
from vision.carried.facts import Fact as FactSaid

MAX_KEY_CHARS = 400
"""An entry of a Postgres index holds 2,704 bytes."""


def fact_key(text: str) -> str:
    """A text as facts are compared by: NFC, without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())[:MAX_KEY_CHARS]


def replace_facts(session: Session, image_id: int, carried: Carried, sources: Sequence[str]) -> None:
    """Let these be all that the sources say of a picture.

    Args:
        carried: what they say now.
        sources: those that have been read; facts of others stay.
    """
    before = list(session.scalars(select(Fact).where(Fact.image_id == image_id, Fact.source.in_(sources))))
    wanted = [fact for fact in carried.facts if fact.source in sources]
    known = {(row.name, row.text, row.number, row.source): row for row in before}
    told = {_key(fact): fact for fact in wanted}
    gone = [row.id for key, row in known.items() if key not in told]
    if gone or len(known) < len(before):
        session.execute(delete(Fact).where(Fact.image_id == image_id, Fact.source.in_(sources)))
        known = {}
    fresh = [_row(image_id, fact) for key, fact in told.items() if key not in known]
    if fresh:
        session.execute(insert(Fact), fresh)


def lacks_facts(image: Image) -> bool:
    """Whether a newer version would tell more of a picture than the one that has read it."""
    return None in (image.pixels_sha256, image.perceptual_hash) or (image.facts_version or 0) < VERSION


def facts_of(session: Session, image_id: int) -> list[Fact]:
    """Facts of one picture, in the order in which they were written."""
    return list(session.scalars(select(Fact).where(Fact.image_id == image_id).order_by(Fact.id)))


def _key(fact: FactSaid) -> tuple[str, str | None, float | None, str]:
    return fact.name, None if fact.text is None else holdable(fact.text), fact.number, fact.source


def _row(image_id: int, fact: FactSaid) -> dict[str, object]:
    text = None if fact.text is None else holdable(fact.text)
    key = None if text is None else fact_key(text)
    return {
        "image_id": image_id,
        "name": fact.name,
        "text": text,
        "key": key,
        "number": fact.number,
        "source": fact.source,
    }
