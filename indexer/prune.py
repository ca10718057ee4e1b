"""`index --prune`: erase what is missing, with everything that hung on it."""

from __future__ import annotations

from sqlalchemy import Delete, delete, exists, select
from sqlalchemy.orm import Session

from search.db.schema import Caption, File, Image, Region, TextBody
from search.library import Library
from search.previews import PreviewStore


def prune_missing(library: Library) -> int:
    """Erase missing files and all that nothing holds any more; returns files + pictures. The caller holds the lock."""
    with library.write() as session:
        files = _delete(session, delete(File).where(File.state == "missing"))
    return files + erase_unheld(library)


def erase_unheld(library: Library) -> int:
    """Erase pictures that no file holds, texts that nothing uses, and their previews; returns the pictures.

    Their vectors become dead rows of the segments, which `rebuild --compact` removes. The caller holds the lock.
    """
    held = exists().where(File.image_id == Image.id)
    with library.write() as session:
        contents = session.scalars(select(Image.sha256).where(~held)).all()
        images = _delete(session, delete(Image).where(~held))
        captioned = exists().where(Caption.text_id == TextBody.id)
        boxed = exists().where(Region.text_id == TextBody.id)
        _delete(session, delete(TextBody).where(~captioned, ~boxed))
    previews = PreviewStore(library.home)
    for sha256 in contents:
        previews.discard(sha256)
    return images


def _delete(session: Session, statement: Delete) -> int:
    return session.connection().execute(statement).rowcount
