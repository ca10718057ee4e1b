"""Lists of what a library holds, page by page: pictures, and what is told of them.

A page begins behind the last row of the one before, wherever that stands now: what is added or removed in between
neither repeats a row nor hides one that stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import numpy as np
from sqlalchemy import ColumnElement, UnaryExpression, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from search.db.columns import UtcDateTime
from search.db.details import as_taken, region_info
from search.db.facet_counts import Among
from search.db.schema import Caption, File, Image, LibraryMark, Region, TextBody
from search.db.shown import shown_images
from search.db.told import told
from search.encoder import nothing_indexed
from search.errors import QueryError
from search.library import Library
from search.query.engine import plan
from search.query.filters import fulfilling
from search.query.language import parse
from search.results import CaptionInfo, RegionInfo, SearchRequest
from search.snapshot import take_snapshot

Order: TypeAlias = Literal["added", "-added", "date", "-date"]
What: TypeAlias = Literal["captions", "regions", "texts"]

_UNDATED: Mapping[str, datetime] = {
    "date": datetime(1, 1, 1, tzinfo=UTC),
    "-date": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}
"""Where pictures without a date stand: last in both orders."""


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which row a page begins: its id, and for orders by date its date where it has one."""

    id: int
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedImage:
    """A picture in a list; `path` is the first of the indexed files that hold it."""

    image_id: int
    sha256: str
    width_px: int
    height_px: int
    format: str
    size_bytes: int
    taken_at: datetime | None
    path: str


@dataclass(frozen=True, slots=True)
class ToldRow:
    """A caption, a box or a line of text, and the picture that it is of; exactly one of the two is there."""

    image_id: int
    caption: CaptionInfo | None = None
    region: RegionInfo | None = None

    @property
    def id(self) -> int:
        """Of the row, among those of its kind."""
        return self.caption.caption_id if self.caption is not None else self.region.region_id if self.region else 0


def library_uid(library: Library) -> str:
    """What tells this library from every other one."""
    with library.read() as session:
        return session.scalars(select(LibraryMark.uid)).one()


def list_images(
    library: Library, filters: str | None, order: Order, k: int, after: Place | None = None
) -> tuple[list[ListedImage], Place | None]:
    """Pictures that fulfil filters of the query language, and where the next page begins; None at the end.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
        QueryError: the filters cannot be read, or are no filters.
    """
    with library.read() as session:
        among = _among(library, session, filters)
        present = exists().where(File.image_id == Image.id, File.state == "indexed")
        query = select(Image).where(present, among.holds(Image.id))
        if after is not None:
            query = query.where(_behind(order, after))
        rows = session.scalars(query.order_by(*_order(order)).limit(k + 1)).all()
        paths = shown_images(session, [image.id for image in rows[:k]])
        listed = [
            ListedImage(
                image.id, image.sha256, image.width_px, image.height_px, image.format, image.size_bytes,
                as_taken(image.taken_at, image.taken_offset_min), paths[image.id].path,
            )
            for image in rows[:k]
        ]  # fmt: skip
        last = Place(rows[k - 1].id, rows[k - 1].taken_at) if len(rows) > k else None
    return listed, last


def list_told(
    library: Library,
    what: What,
    filters: str | None,
    k: int,
    after: Place | None = None,
    *,
    image_id: int | None = None,
    source: str | None = None,
) -> tuple[list[ToldRow], Place | None]:
    """What is told of pictures, in the order in which it was written, and where the next page begins; None at the end.

    Args:
        library: only read.
        what: `captions`; `regions`, boxes of what is shown; `texts`, lines that were read.
        filters: of the query language, which the pictures fulfil.
        k: rows.
        after: what the page before gave.
        image_id: of this picture alone.
        source: by this source alone.

    Raises:
        LibraryEmptyError: there are filters, and nothing has been indexed yet.
        QueryError: the filters cannot be read, or are no filters.
    """
    table = Caption if what == "captions" else Region
    where = [told(table)] + ([] if what == "captions" else [Region.is_read.is_(what == "texts")])
    where += [] if after is None else [table.id > after.id]
    where += [] if image_id is None else [table.image_id == image_id]
    where += [] if source is None else [table.source == source]
    with library.read() as session:
        if filters is not None:
            where.append(_among(library, session, filters).holds(table.image_id))
        query = select(table, TextBody.body).join(TextBody, TextBody.id == table.text_id).where(*where)
        rows = session.execute(query.order_by(table.id).limit(k + 1)).all()
        found = [_told_row(row, body) for row, body in rows[:k]]
    return found, Place(found[-1].id) if len(rows) > k else None


def _told_row(row: Any, body: str) -> ToldRow:
    if isinstance(row, Caption):
        return ToldRow(row.image_id, caption=CaptionInfo(row.id, body, row.source, row.language, ()))
    return ToldRow(row.image_id, region=region_info(row, body))


def _among(library: Library, session: Session, filters: str | None) -> Among:
    """The pictures that fulfil filters."""
    if filters is None or not filters.strip():
        return Among(session, None)
    wanted = plan(parse(filters).root, "relevance", SearchRequest(text=filters))
    if any(one.texts or one.branch.likes for one in wanted.asks):
        raise QueryError("a list takes filters alone, and no words", remedy="Search for words at /api/v1/search.")
    snapshot = take_snapshot(library, session)
    if snapshot is None:
        raise nothing_indexed()
    everything = np.arange(len(snapshot.catalogue.images))
    found = [fulfilling(session, snapshot.catalogue, one.branch.filters) for one in wanted.asks]
    rows = np.unique(np.concatenate([everything if one is None else one for one in found]))
    return Among(session, snapshot.catalogue.images[rows])


def _dated(order: Order) -> ColumnElement[datetime]:
    return func.coalesce(Image.taken_at, literal(_UNDATED[order], UtcDateTime))


def _order(order: Order) -> tuple[UnaryExpression[Any], ...]:
    if order == "added":
        return (Image.id.desc(),)
    if order == "-added":
        return (Image.id.asc(),)
    key = _dated(order)
    return (key.desc(), Image.id.desc()) if order == "date" else (key.asc(), Image.id.asc())


def _behind(order: Order, after: Place) -> ColumnElement[bool]:
    if order == "added":
        return Image.id < after.id
    if order == "-added":
        return Image.id > after.id
    key, at = _dated(order), literal(after.date or _UNDATED[order], UtcDateTime)
    if order == "date":
        return or_(key < at, and_(key == at, Image.id < after.id))
    return or_(key > at, and_(key == at, Image.id > after.id))
