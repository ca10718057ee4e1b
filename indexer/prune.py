"""`index --prune`: erase what is missing, with everything that hung on it and everything that was made from it."""

from __future__ import annotations

from sqlalchemy import Delete, delete, exists, select, text
from sqlalchemy.orm import Session

from search.checks.previews import sort_previews
from search.db.fulltext import forget_deleted
from search.db.schema import Caption, File, Image, Model, Region, TextBody
from search.library import Library
from search.previews import PreviewStore, erase_previews
from search.vectors.compact import compact_segments
from search.vectors.live import KINDS


def prune_missing(library: Library) -> int:
    """Erase missing files and all that nothing holds any more; returns files + pictures. The caller holds the lock."""
    with library.write() as session:
        files = _delete(session, delete(File).where(File.state == "missing"))
    return files + erase_unheld(library)


def erase_unheld(library: Library) -> int:
    """Erase pictures that no file holds, texts that nothing uses, and their previews; returns the pictures.

    Their vectors become dead rows, for `erase_vectors` once the live ones are published. A run that is killed before
    it has erased the previews leaves them to the next one: every preview is looked at, not only those of today's
    pictures. The caller holds the lock.
    """
    with library.write() as session:
        held = exists().where(File.image_id == Image.id)
        images = _delete(session, delete(Image).where(~held))
        captioned = exists().where(Caption.text_id == TextBody.id)
        boxed = exists().where(Region.text_id == TextBody.id)
        _delete(session, delete(TextBody).where(~captioned, ~boxed))
        forget_deleted(session)
    with library.read() as session:
        known = set(session.scalars(select(Image.sha256)))
    store = PreviewStore(library.home)
    erase_previews(sort_previews(store, known).stray)
    return images


def erase_vectors(library: Library) -> None:
    """Erase dead vectors from segments and indexes; the caller holds the lock and has published what lives.

    A damaged segment is left as it is: to rewrite it would hide from `verify` what was lost.
    """
    compact_segments(library.database, library.vectors, only_whole=True)
    with library.read() as session:
        model_ids = list(session.scalars(select(Model.id)))
    for model_id in model_ids:
        for kind in KINDS:
            library.vectors.generations.retire(model_id, kind, keep=1)
    if library.engine.dialect.name == "sqlite":
        _empty_log(library)


def _empty_log(library: Library) -> None:
    """Fold SQLite's write-ahead log into its file, so that no page of it holds what was erased."""
    with library.engine.connect() as connection:
        driver = connection.connection.driver_connection
        if driver is not None:
            driver.execute("PRAGMA query_only = 0")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _delete(session: Session, statement: Delete) -> int:
    if session.get_bind().dialect.name == "sqlite":
        # Overwrites with zeros what it deletes: an erased caption must not be read from the file's free pages.
        session.execute(text("PRAGMA secure_delete = ON"))
    return session.connection().execute(statement).rowcount
