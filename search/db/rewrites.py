"""Pictures whose files were rewritten while their pixels stayed: they keep their row, or what is said about them."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.images import ImageFact
from search.db.schema import Caption, File, Image, Reading, Region
from vision.carried.facts import SOURCES

_CAPTION = ("text_id", "source", "language", "created_at", "generation_id")
_REGION = ("text_id", "span_start", "span_end", "x0", "y0", "x1", "y1", "score", "source", "is_read", "generation_id")
_READING = ("source", "lines", "created_at")


def pixels_known(session: Session, digests: Sequence[str]) -> set[str]:
    """Which of these digests of pixels images have."""
    found: set[str] = set()
    for some in chunks(digests):
        query = select(Image.pixels_sha256).where(Image.pixels_sha256.in_(some))
        found.update(digest for digest in session.scalars(query) if digest is not None)
    return found


def same_pixels_at(session: Session, path: str, fact: ImageFact) -> Image | None:
    """The image that the library remembers at `path`, if these are its pixels in other bytes."""
    if fact.pixels_sha256 is None:
        return None
    return session.scalar(
        select(Image)
        .join(File, File.image_id == Image.id)
        .where(File.path == path, Image.sha256 != fact.sha256, *_alike(fact))
    )


def left_behind(session: Session, fact: ImageFact, gone: Container[int]) -> Image | None:
    """The image of these pixels in other bytes that no file holds any more, as after a rewrite under a new name.

    Args:
        gone: ids of files that a scan has found to be no longer there, whatever their rows say yet.
    """
    if fact.pixels_sha256 is None:
        return None
    for image in session.scalars(
        select(Image).where(Image.sha256 != fact.sha256, *_alike(fact)).order_by(Image.id)
    ).all():
        holders = session.execute(select(File.id, File.state).where(File.image_id == image.id)).all()
        if all(state == "missing" or file_id in gone for file_id, state in holders):
            return image
    return None


def holders_besides(session: Session, image_id: int, paths: Collection[str], gone: Container[int] = ()) -> list[File]:
    """Files of an image that are there, other than those at `paths` and those that are gone."""
    files = session.scalars(select(File).where(File.image_id == image_id, File.state == "indexed"))
    return [file for file in files if file.path not in paths and file.id not in gone]


def rewrite_image(session: Session, image_id: int, fact: ImageFact, paths: Collection[str]) -> None:
    """Let a row stand for the new bytes of its pixels: its id, its captions, its boxes and its vectors stay.

    Other files than those at `paths` are not there any more. They keep no claim on the row, for they were made of
    other bytes, and are looked at anew should they return.
    """
    image = session.get_one(Image, image_id)
    for name in ("sha256", "size_bytes", "format", "taken_at", "taken_offset_min", "remark"):
        setattr(image, name, getattr(fact, name))
    for file in session.scalars(select(File).where(File.image_id == image_id)):
        if file.path not in paths:
            file.state, file.image_id = "missing", None
    session.flush()


def carry_annotations(session: Session, from_id: int, to_id: int) -> None:
    """Copy what is said about one image to another of the same pixels; what is said of it already is not said twice.

    What files say themselves is left: it is read from those of the other.
    """
    if from_id == to_id:
        return
    known = {(c.text_id, c.source): c.id for c in session.scalars(select(Caption).where(Caption.image_id == to_id))}
    present = {
        _region_key(region, region.caption_id)
        for region in session.scalars(select(Region).where(Region.image_id == to_id))
    }
    successor: dict[int | None, int | None] = {None: None}
    theirs = (Caption.image_id == from_id, Caption.source.not_in(SOURCES))
    for caption in session.scalars(select(Caption).where(*theirs).order_by(Caption.id)).all():
        key = (caption.text_id, caption.source)
        if key not in known:
            copy = Caption(image_id=to_id, **{name: getattr(caption, name) for name in _CAPTION})
            session.add(copy)
            session.flush()
            known[key] = copy.id
        successor[caption.id] = known[key]
    drawn = (Region.image_id == from_id, Region.source.not_in(SOURCES))
    fresh = [
        {"image_id": to_id, "caption_id": caption_id, **{name: getattr(region, name) for name in _REGION}}
        for region in session.scalars(select(Region).where(*drawn).order_by(Region.id)).all()
        for caption_id in [successor[region.caption_id]]
        if _region_key(region, caption_id) not in present
    ]
    if fresh:
        session.execute(insert(Region), fresh)
    _carry_readings(session, from_id, to_id)


def _carry_readings(session: Session, from_id: int, to_id: int) -> None:
    """Say of a picture which readers have looked at its pixels already."""
    known = set(session.scalars(select(Reading.source).where(Reading.image_id == to_id)))
    for reading in session.scalars(select(Reading).where(Reading.image_id == from_id)).all():
        if reading.source not in known:
            session.add(Reading(image_id=to_id, **{name: getattr(reading, name) for name in _READING}))
    session.flush()


def _alike(fact: ImageFact) -> tuple[ColumnElement[bool], ...]:
    return (
        Image.pixels_sha256 == fact.pixels_sha256,
        Image.width_px == fact.width_px,
        Image.height_px == fact.height_px,
    )


def _region_key(region: Region, caption_id: int | None) -> tuple[object, ...]:
    box = tuple(round(value * 1_000_000) for value in (region.x0, region.y0, region.x1, region.y1))
    return caption_id, region.text_id, region.source, box
