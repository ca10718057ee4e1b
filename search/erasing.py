"""Erase rows so that no copy of them stays: not in the database's free pages, its full text, segments or indexes."""

from __future__ import annotations

from sqlalchemy import Delete, delete, exists, select, text, update
from sqlalchemy.orm import Session

from search.catalogue.current import KIND as CATALOGUE
from search.db.chunks import chunks
from search.db.schema import Caption, Embedding, Model, ReadSpelling, ReadWord, Region, TextBody
from search.db.spellings import words_unread
from search.library import Library
from search.vectors.compact import compact_segments
from search.vectors.live import KINDS


def erase(session: Session, statement: Delete) -> int:
    """Delete rows for good; returns how many."""
    if session.get_bind().dialect.name == "sqlite":
        # Overwrites with zeros what it deletes: an erased caption must not be read from the file's free pages.
        session.execute(text("PRAGMA secure_delete = ON"))
    return session.connection().execute(statement).rowcount


def erase_unused_texts(session: Session) -> int:
    """Erase texts that neither a caption nor a box uses, and words that were read in no line any more.

    Their vectors become dead rows. Returns how many texts.
    """
    captioned = exists().where(Caption.text_id == TextBody.id)
    boxed = exists().where(Region.text_id == TextBody.id)
    erased = erase(session, delete(TextBody).where(~captioned, ~boxed))
    for some in chunks(words_unread(session) if erased else []):
        erase(session, delete(ReadSpelling).where(ReadSpelling.word_id.in_(some)))
        erase(session, delete(ReadWord).where(ReadWord.id.in_(some)))
    return erased


def release_regions(session: Session) -> int:
    """Take vectors from regions that are gone, so that they become dead rows; returns how many.

    No foreign key does it, and a later region may be given the same number.
    """
    gone = ~exists().where(Region.id == Embedding.region_id)
    released = update(Embedding).where(Embedding.region_id.is_not(None), gone).values(region_id=None)
    return session.connection().execute(released).rowcount


def erase_vectors(library: Library) -> None:
    """Erase dead vectors from segments and indexes; the caller holds the lock and has published what lives.

    A damaged segment is left as it is: to rewrite it would hide from `verify` what was lost.
    """
    compact_segments(library.database, library.vectors, only_whole=True)
    with library.read() as session:
        model_ids = list(session.scalars(select(Model.id)))
    for model_id in model_ids:
        for kind in (*KINDS, CATALOGUE):
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
