"""Facts that pictures carry: written anew whenever their source is read, and read for a picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from search.db.annotations import CaptionFact, add_annotations
from search.db.limits import holdable
from search.db.schema import Caption, Embedding, Fact, Image, TextBody
from search.db.schema import Region as RegionRow
from vision.carried.facts import VERSION, Carried
from vision.carried.facts import Fact as FactSaid
from vision.types import Box, Region

MAX_KEY_CHARS = 400
"""An entry of a Postgres index holds 2,704 bytes."""


def fact_key(text: str) -> str:
    """A text as facts are compared by: NFC, without case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())[:MAX_KEY_CHARS]


def replace_carried(session: Session, image_id: int, carried: Carried, sources: Sequence[str]) -> None:
    """Let these be all that the sources say of a picture: facts, texts and named boxes.

    Args:
        carried: what they say now.
        sources: those that have been read; what others say stays.
    """
    _replace_facts(session, image_id, carried, sources)
    for source in sources:
        captions = [CaptionFact(holdable(said.text)) for said in carried.texts if said.source == source]
        boxes = [Region(holdable(one.name), Box(*one.box)) for one in carried.boxes if one.source == source]
        _drop_others(session, image_id, source, {one.text for one in captions}, {_box_key(one) for one in boxes})
        add_annotations(session, image_id, captions, boxes, source)


def _drop_others(session: Session, image_id: int, source: str, texts: set[str], boxes: set[tuple[object, ...]]) -> None:
    """Erase captions and boxes that a source does not say any more; vectors of such boxes lose their owner."""
    said = select(Caption.id, TextBody.body).join(TextBody, TextBody.id == Caption.text_id)
    rows = session.execute(said.where(Caption.image_id == image_id, Caption.source == source))
    unsaid = [caption_id for caption_id, body in rows if body not in texts]
    if unsaid:
        session.execute(delete(Caption).where(Caption.id.in_(unsaid)))
    drawn = select(RegionRow, TextBody.body).join(TextBody, TextBody.id == RegionRow.text_id)
    found = session.execute(drawn.where(RegionRow.image_id == image_id, RegionRow.source == source))
    gone = [row.id for row, name in found if (name, *_rounded(row.x0, row.y0, row.x1, row.y1)) not in boxes]
    if gone:
        session.execute(delete(RegionRow).where(RegionRow.id.in_(gone)))
        session.execute(update(Embedding).where(Embedding.region_id.in_(gone)).values(region_id=None))


def _box_key(region: Region) -> tuple[object, ...]:
    return (region.phrase, *_rounded(*region.box.as_xyxy()))


def _rounded(*ends: float) -> tuple[int, ...]:
    return tuple(round(end * 1_000_000) for end in ends)


def _replace_facts(session: Session, image_id: int, carried: Carried, sources: Sequence[str]) -> None:
    before = list(session.scalars(select(Fact).where(Fact.image_id == image_id, Fact.source.in_(sources))))
    wanted = [fact for fact in carried.facts if fact.source in sources]
    known = {(row.name, row.text, row.number, row.source): row for row in before}
    told = {_key(fact): fact for fact in wanted}
    gone = [row.id for key, row in known.items() if key not in told]
    if gone or len(known) < len(before):
        session.execute(delete(Fact).where(Fact.image_id == image_id, Fact.source.in_(sources)))
        known.clear()
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
