"""Captions, phrases and boxes: how they are written once, and read for a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

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


@dataclass(frozen=True, slots=True)
class Annotated:
    """What is said of one image.

    Attributes:
        loose: regions that belong to no caption, e.g. detector boxes.

    Raises:
        UnstorableError: a loose region cannot be stored.
    """

    image_id: int
    captions: Sequence[CaptionFact] = ()
    loose: Sequence[RegionFact] = ()

    def __post_init__(self) -> None:
        for region in self.loose:
            check_region(region)


def add_annotations(
    session: Session,
    image_id: int,
    captions: Sequence[CaptionFact],
    loose: Sequence[RegionFact],
    source: str,
    generation_id: int | None = None,
) -> Written:
    """Add captions and regions to an image, as `annotate` does."""
    return annotate(session, [Annotated(image_id, captions, loose)], source, generation_id)[0]


def annotate(
    session: Session, items: Sequence[Annotated], source: str, generation_id: int | None = None
) -> list[Written]:
    """Add captions and regions to images; what is already there, from the same source, is not added again.

    Args:
        items: an image may come more than once.
        source: `import`, or the identity of a captioner or a reader.
        generation_id: of `caption_generations`, where a captioner says it.

    Returns:
        What is new of each item.
    """
    source = holdable(source, MAX_SOURCE_CHARS)
    whose = {"source": source, "generation_id": generation_id}
    ids = text_ids(session, [body for item in items for body in _bodies(item.captions, item.loose)])
    known_captions, known_regions = _known(session, sorted({item.image_id for item in items}), source)
    written = [Written() for _ in items]
    fresh: dict[tuple[int, int], dict[str, Any]] = {}
    for item, counts in zip(items, written, strict=True):
        for fact in item.captions:
            key = item.image_id, ids[fact.text]
            if key in known_captions or key in fresh:
                counts.already_there += 1
            else:
                fresh[key] = _caption(*key, fact.language, whose)
                counts.captions += 1
    known_captions |= _inserted(session, fresh)
    rows: list[dict[str, Any]] = []
    for item, counts in zip(items, written, strict=True):
        tied = [
            (region, known_captions[item.image_id, ids[fact.text]]) for fact in item.captions for region in fact.regions
        ]
        for region, caption_id in [*tied, *((region, None) for region in item.loose)]:
            where = item.image_id, _region_key(caption_id, ids[region.phrase], region.box.as_xyxy())
            if where in known_regions:
                counts.already_there += 1
                continue
            known_regions.add(where)
            rows.append(_region(item.image_id, caption_id, ids[region.phrase], region, whose))
            counts.regions += 1
    if rows:
        session.execute(insert(Region), rows)
    return written


def _inserted(session: Session, fresh: Mapping[tuple[int, int], dict[str, Any]]) -> dict[tuple[int, int], int]:
    """Insert captions; returns their ids by the same keys."""
    if not fresh:
        return {}
    made = session.scalars(insert(Caption).returning(Caption.id, sort_by_parameter_order=True), list(fresh.values()))
    return dict(zip(fresh, made, strict=True))


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


_RegionKey: TypeAlias = tuple[int | None, int, tuple[int, ...]]


def _known(
    session: Session, image_ids: Sequence[int], source: str
) -> tuple[dict[tuple[int, int], int], set[tuple[int, _RegionKey]]]:
    """What a source has said of images already: captions by image and text, and regions by image and key."""
    captions: dict[tuple[int, int], int] = {}
    regions: set[tuple[int, _RegionKey]] = set()
    written = select(Caption.image_id, Caption.text_id, Caption.id).where(Caption.source == source)
    box = (Region.x0, Region.y0, Region.x1, Region.y1)
    drawn = select(Region.image_id, Region.caption_id, Region.text_id, *box).where(Region.source == source)
    for some in chunks(image_ids):
        for image_id, text_id, known_id in session.execute(written.where(Caption.image_id.in_(some))):
            captions[image_id, text_id] = known_id
        for image_id, caption_id, text_id, *xyxy in session.execute(drawn.where(Region.image_id.in_(some))):
            regions.add((image_id, _region_key(caption_id, text_id, tuple(xyxy))))
    return captions, regions


def _as_stored(session: Session) -> ColumnElement[bytes]:
    """The bytes of a text: a damaged one need not be UTF-8, which the driver would not forgive."""
    if session.get_bind().dialect.name == "sqlite":
        return cast(TextBody.body, LargeBinary)
    return func.convert_to(TextBody.body, "UTF8", type_=LargeBinary)


def _caption(image_id: int, text_id: int, language: str | None, whose: dict[str, Any]) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "text_id": text_id,
        "language": language,
        "created_at": datetime.now(UTC),
        **whose,
    }


def _region(
    image_id: int, caption_id: int | None, text_id: int, fact: RegionFact, whose: dict[str, Any]
) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "caption_id": caption_id,
        "text_id": text_id,
        "span_start": fact.span.start if fact.span else None,
        "span_end": fact.span.end if fact.span else None,
        **dict(zip(("x0", "y0", "x1", "y1"), fact.box.as_xyxy(), strict=True)),
        "score": share(fact.score),
        **whose,
    }


def _region_key(caption_id: int | None, text_id: int, xyxy: tuple[float, ...]) -> _RegionKey:
    # A millionth of a side: far below a pixel, far above what a float column may round.
    return caption_id, text_id, tuple(round(value * 1_000_000) for value in xyxy)
