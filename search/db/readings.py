"""What readers have read: written line by line, and remembered of pictures in which there is nothing to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import exists, insert, select, update
from sqlalchemy.orm import Session

from search.db.annotations import add_annotations
from search.db.images import below_or_at
from search.db.schema import File, Image, Reading, Region
from search.db.spellings import add_words
from vision.types import Region as RegionFact


def images_unread(session: Session, source: str, below: str | None = None) -> list[int]:
    """Ids of shown pictures at which a reader has not looked, ascending.

    Args:
        below: only those with a file at or below this path.
    """
    there = exists().where(Reading.image_id == Image.id, Reading.source == source)
    where = () if below is None else (below_or_at(File.path, below),)
    present = exists().where(File.image_id == Image.id, File.state == "indexed", *where)
    return list(session.scalars(select(Image.id).where(present, ~there).order_by(Image.id)))


def add_reading(session: Session, image_id: int, lines: Sequence[RegionFact], source: str) -> int:
    """Write what a reader has read in a picture, and that it has looked; returns how many lines are new.

    Raises:
        UnstorableError: a line cannot be stored.
    """
    written = add_annotations(session, image_id, [], lines, source)
    # Nobody but a reader speaks under its name.
    session.execute(update(Region).where(Region.image_id == image_id, Region.source == source).values(is_read=True))
    add_words(session, [line.phrase for line in lines])
    row = {"image_id": image_id, "source": source, "lines": len(lines), "created_at": datetime.now(UTC)}
    session.execute(insert(Reading), [row])
    return written.regions
