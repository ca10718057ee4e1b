"""`index --prune`: erase what is missing, with everything that hung on it."""

from __future__ import annotations

from sqlalchemy import Delete, delete, exists
from sqlalchemy.orm import Session

from search.db.schema import Caption, File, Image, Region, TextBody
from search.library import Library


def prune_missing(library: Library) -> int:
    """Erase missing files, pictures that no file holds any more, and texts that nothing uses; returns files + pictures.

    Their vectors become dead rows of the segments, which `rebuild --compact` removes. The caller holds the lock.
    """
    with library.write() as session:
        files = _delete(session, delete(File).where(File.state == "missing"))
        held = exists().where(File.image_id == Image.id)
        images = _delete(session, delete(Image).where(~held))
        captioned = exists().where(Caption.text_id == TextBody.id)
        boxed = exists().where(Region.text_id == TextBody.id)
        _delete(session, delete(TextBody).where(~captioned, ~boxed))
    return files + images


def _delete(session: Session, statement: Delete) -> int:
    return session.connection().execute(statement).rowcount
