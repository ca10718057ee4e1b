"""Queries for the pages: one picture with everything on it, the newest pictures, the counts."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta, timezone

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from search.db.facts import facts_of
from search.db.roots import all_rules
from search.db.schema import Caption, Fact, File, Generation, Image, Model, Region, TextBody
from search.db.told import anything_rests, told
from search.errors import NotFoundError
from search.index_info import IndexInfo
from search.results import CaptionInfo, FactInfo, FileInfo, ImageDetail, LibraryStatus, RegionInfo, RootInfo
from vision.types import Box, Span

_PRESENT = exists().where(File.image_id == Image.id, File.state == "indexed")


def image_detail(session: Session, image_id: int) -> ImageDetail | None:
    """Everything known of one picture, or None when there is no such picture."""
    image = session.get(Image, image_id)
    if image is None:
        return None
    files = session.scalars(select(File).where(File.image_id == image_id).order_by(File.path))
    by_caption: dict[int | None, list[RegionInfo]] = defaultdict(list)
    lines: list[RegionInfo] = []
    rows = session.execute(
        select(Region, TextBody.body)
        .join(TextBody, TextBody.id == Region.text_id)
        .where(Region.image_id == image_id, told(Region))
        .order_by(Region.span_start, Region.id)
    )
    for region, phrase in rows:
        (lines if region.is_read else by_caption[region.caption_id]).append(region_info(region, phrase))
    captions = session.execute(
        select(Caption, TextBody.body)
        .join(TextBody, TextBody.id == Caption.text_id)
        .where(Caption.image_id == image_id, told(Caption))
        .order_by(Caption.id)
    )
    return ImageDetail(
        image_id=image.id,
        sha256=image.sha256,
        width_px=image.width_px,
        height_px=image.height_px,
        format=image.format,
        size_bytes=image.size_bytes,
        taken_at=as_taken(image.taken_at, image.taken_offset_min),
        remark=image.remark,
        files=tuple(FileInfo(file.path, file.size_bytes, file.state, file.held) for file in files),
        captions=tuple(
            CaptionInfo(caption.id, body, caption.source, caption.language, tuple(by_caption[caption.id]))
            for caption, body in captions
        ),
        regions=tuple(by_caption[None]),
        lines=tuple(lines),
        facts=tuple(FactInfo(fact.name, fact.text, fact.number, fact.source) for fact in facts_of(session, image_id)),
    )


def region_detail(session: Session, region_id: int) -> tuple[ImageDetail, RegionInfo]:
    """A box and the picture that it is on.

    Raises:
        NotFoundError: there is no such box.
    """
    image_id = session.scalar(select(Region.image_id).where(Region.id == region_id))
    image = None if image_id is None else image_detail(session, image_id)
    boxes = (
        [] if image is None else [*image.regions, *image.lines, *(box for one in image.captions for box in one.regions)]
    )
    for box in boxes:
        if image is not None and box.region_id == region_id:
            return image, box
    raise NotFoundError(f"there is no region {region_id} in this library")


def as_taken(instant: datetime | None, offset_min: int | None) -> datetime | None:
    """The date as the photographer's clock showed it.

    Args:
        instant: as stored, UTC; of a date without an offset, its clock read as UTC.
        offset_min: minutes east of UTC; None where the file names no offset.

    Returns:
        Aware, in its own offset, or naive: nobody makes up a zone.
    """
    if instant is None or offset_min is None:
        return None if instant is None else instant.replace(tzinfo=None)
    return instant.astimezone(timezone(timedelta(minutes=offset_min)))


def region_info(region: Region, phrase: str) -> RegionInfo:
    """A stored region as the outside sees it."""
    span = None if region.span_start is None or region.span_end is None else Span(region.span_start, region.span_end)
    box = Box(region.x0, region.y0, region.x1, region.y1)
    return RegionInfo(region.id, phrase, box, span, region.score, region.source)


def recent_images(session: Session, k: int, offset: int) -> list[int]:
    """Ids of the pictures indexed last, newest first."""
    return list(session.scalars(select(Image.id).where(_PRESENT).order_by(Image.id.desc()).limit(k).offset(offset)))


def library_status(session: Session, model: Model | None) -> LibraryStatus:
    """Counts of everything, by one query each."""
    states = dict(session.execute(select(File.state, func.count()).group_by(File.state)).all())
    indexes: tuple[IndexInfo, ...] = ()
    if model is not None:
        columns = (Generation.kind, Generation.vectors, Generation.index_key, Generation.measured)
        published = (Generation.model_id == model.id, Generation.active, Generation.kind != "catalogue")
        rows = session.execute(select(*columns).where(*published).order_by(Generation.kind))
        indexes = tuple(IndexInfo(*row) for row in rows)
    return LibraryStatus(
        images=_count(session, select(func.count()).select_from(Image).where(_PRESENT)),
        files_indexed=states.get("indexed", 0),
        files_refused=states.get("refused", 0),
        files_missing=states.get("missing", 0),
        captions=_count(session, select(func.count()).select_from(Caption).where(told(Caption))),
        regions=_count(session, select(func.count()).where(Region.is_read.is_(False), told(Region))),
        lines=_count(session, select(func.count()).where(Region.is_read)),
        texts=_count(session, _texts(session)),
        facts=_count(session, select(func.count()).select_from(Fact)),
        model=model.name if model else None,
        published={one.kind: one.vectors for one in indexes},
        roots=tuple(
            RootInfo(path, rules.exclude, rules.include, rules.follow_links, rules.archives)
            for path, rules in all_rules(session).items()
        ),
        indexes=indexes,
    )


def _texts(session: Session) -> Select[int]:
    """Counts texts; where something rests, those alone that are told."""
    query = select(func.count()).select_from(TextBody)
    if not anything_rests(session):
        return query
    captioned = exists().where(Caption.text_id == TextBody.id, told(Caption))
    return query.where(or_(captioned, exists().where(Region.text_id == TextBody.id, told(Region))))


def _count(session: Session, query: Select[int]) -> int:
    return session.scalar(query) or 0
