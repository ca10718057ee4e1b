"""Captions, phrases and boxes: how they are written once, and read for a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, cast, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.limits import (
    MAX_SOURCE_CHARS,
    MAX_TEXT_CHARS,
    UnstorableError,
    has_area,
    holdable,
    is_holdable,
    language_tag,
    share,
)
from search.db.schema import Caption, Embedding, Region, TextBody
from vision.types import Region as RegionFact


@dataclass(frozen=True, slots=True)
class CaptionFact:
    """A caption with the regions of its phrases, before it has an id; a language that is none becomes None.

    Raises:
        UnstorableError: the text or a region is none that can be stored, or a span ends behind the text.
    """

    text: str
    language: str | None = None
    regions: tuple[RegionFact, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "language", None if self.language is None else language_tag(self.language))
        _check_text(self.text)
        for region in self.regions:
            check_region(region)
            if region.span is not None and region.span.end > len(self.text):
                raise UnstorableError(f"the span of {region.phrase[:40]!r} ends behind the caption")


def check_region(region: RegionFact) -> None:
    """Refuse a region that cannot be stored.

    Raises:
        UnstorableError: its phrase is no text to store, or its box is too narrow to be one.
    """
    _check_text(region.phrase)
    if not has_area(region.box):
        raise UnstorableError(f"the box of {region.phrase[:40]!r} has no area worth the name: {region.box.as_xyxy()}")


def _check_text(text: str) -> None:
    if not text or not is_holdable(text) or len(text) > MAX_TEXT_CHARS:
        raise UnstorableError(f"a text of {len(text)} characters is empty, too long, or holds NUL or half a character")


@dataclass(slots=True)
class Written:
    """How much of what was offered is new."""

    captions: int = 0
    regions: int = 0
    already_there: int = 0


def text_ids(session: Session, bodies: Sequence[str]) -> dict[str, int]:
    """Ids of texts, created where they are new.

    Args:
        bodies: non-empty texts without NUL (which Postgres cannot store).
    """
    hashes = {body: hashlib.sha256(body.encode()).hexdigest() for body in bodies}
    known: dict[str, int] = {}
    bodies_by_hash = {sha256: body for body, sha256 in hashes.items()}
    for some in chunks(sorted(bodies_by_hash)):
        rows = session.execute(
            select(TextBody.sha256, TextBody.id, _as_stored(session)).where(TextBody.sha256.in_(some))
        )
        for sha256, text_id, stored in rows.all():
            known[sha256] = text_id
            if stored != bodies_by_hash[sha256].encode():
                # Damaged since it was written: here is what its digest promises.
                session.execute(update(TextBody).where(TextBody.id == text_id).values(body=bodies_by_hash[sha256]))
    fresh = [{"sha256": sha256, "body": body} for body, sha256 in hashes.items() if sha256 not in known]
    if fresh:
        made = session.scalars(insert(TextBody).returning(TextBody.id, sort_by_parameter_order=True), fresh)
        known.update(zip((row["sha256"] for row in fresh), made, strict=True))
    return {body: known[sha256] for body, sha256 in hashes.items()}


def text_bodies(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Texts by id; those that are gone are left out."""
    found: dict[int, str] = {}
    for some in chunks(ids):
        for text_id, body in session.execute(select(TextBody.id, TextBody.body).where(TextBody.id.in_(some))):
            found[text_id] = body
    return found


def add_annotations(
    session: Session,
    image_id: int,
    captions: Sequence[CaptionFact],
    loose: Sequence[RegionFact],
    source: str,
) -> Written:
    """Add captions and regions to an image; what is already there, from the same source, is not added again.

    Args:
        loose: regions that belong to no caption, e.g. detector boxes.
        source: `import`, or the identity of a captioner.

    Raises:
        UnstorableError: a loose region cannot be stored.
    """
    written = Written()
    source = holdable(source, MAX_SOURCE_CHARS)
    for region in loose:
        check_region(region)
    ids = text_ids(session, _bodies(captions, loose))
    known_captions, known_regions = _known(session, image_id, source)
    fresh: list[dict[str, Any]] = []

    def add_region(fact: RegionFact, caption_id: int | None) -> None:
        key = _region_key(caption_id, ids[fact.phrase], fact.box.as_xyxy())
        if key in known_regions:
            written.already_there += 1
            return
        known_regions.add(key)
        fresh.append(_region(image_id, caption_id, ids[fact.phrase], fact, source))
        written.regions += 1

    for fact in captions:
        caption = known_captions.get(ids[fact.text])
        if caption is None:
            caption = _caption(image_id, ids[fact.text], fact.language, source)
            session.add(caption)
            session.flush()
            known_captions[caption.text_id] = caption
            written.captions += 1
        else:
            written.already_there += 1
        for region in fact.regions:
            add_region(region, caption.id)
    for region in loose:
        add_region(region, None)
    if fresh:
        session.execute(insert(Region), fresh)
    return written


def _bodies(captions: Sequence[CaptionFact], loose: Sequence[RegionFact]) -> list[str]:
    boxed = [*(region for caption in captions for region in caption.regions), *loose]
    return [*(caption.text for caption in captions), *(region.phrase for region in boxed)]


def texts_without_vector(session: Session, model_id: int, limit: int, after: int = 0) -> list[tuple[int, str]]:
    """Ids and bodies of texts in use that the model has not embedded yet, at most `limit`, by id from above `after`."""
    embedded = exists().where(Embedding.text_id == TextBody.id, Embedding.model_id == model_id)
    used = or_(
        exists().where(Caption.text_id == TextBody.id),
        exists().where(Region.text_id == TextBody.id),
    )
    fresh = (TextBody.id > after, ~embedded, used)
    query = select(TextBody.id, TextBody.body).where(*fresh).order_by(TextBody.id).limit(limit)
    return [(text_id, body) for text_id, body in session.execute(query)]


def _known(
    session: Session, image_id: int, source: str
) -> tuple[dict[int, Caption], set[tuple[int | None, int, tuple[int, ...]]]]:
    """What a source has said of an image already: captions by their text, and the keys of regions."""
    captions = session.scalars(select(Caption).where(Caption.image_id == image_id, Caption.source == source))
    regions = session.scalars(select(Region).where(Region.image_id == image_id, Region.source == source))
    return {caption.text_id: caption for caption in captions}, {
        _region_key(region.caption_id, region.text_id, (region.x0, region.y0, region.x1, region.y1))
        for region in regions
    }


def _as_stored(session: Session) -> ColumnElement[bytes]:
    """The bytes of a text: a damaged one need not be UTF-8, which the driver would not forgive."""
    if session.get_bind().dialect.name == "sqlite":
        return cast(TextBody.body, LargeBinary)
    return func.convert_to(TextBody.body, "UTF8", type_=LargeBinary)


def _caption(image_id: int, text_id: int, language: str | None, source: str) -> Caption:
    return Caption(image_id=image_id, text_id=text_id, source=source, language=language, created_at=datetime.now(UTC))


def _region(image_id: int, caption_id: int | None, text_id: int, fact: RegionFact, source: str) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "caption_id": caption_id,
        "text_id": text_id,
        "span_start": fact.span.start if fact.span else None,
        "span_end": fact.span.end if fact.span else None,
        **dict(zip(("x0", "y0", "x1", "y1"), fact.box.as_xyxy(), strict=True)),
        "score": share(fact.score),
        "source": source,
    }


def _region_key(
    caption_id: int | None, text_id: int, xyxy: tuple[float, float, float, float]
) -> tuple[int | None, int, tuple[int, ...]]:
    # A millionth of a side: far below a pixel, far above what a float column may round.
    return caption_id, text_id, tuple(round(value * 1_000_000) for value in xyxy)
