"""`index --prune`: erase what is missing, with everything that hung on it and everything that was made from it."""

from __future__ import annotations

import os

from sqlalchemy import delete, exists, select

from indexer.refresh_beside import drop_unheld
from search.checks.previews import sort_previews
from search.db.images import kept_of
from search.db.schema import Archive, File, Image
from search.erasing import erase, erase_unused_texts, release_regions
from search.kept import erase_others
from search.library import Library
from search.previews import PreviewStore, erase_previews


def prune_missing(library: Library) -> int:
    """Erase missing files and all that nothing holds any more; returns files + pictures. The caller holds the lock."""
    with library.write() as session:
        files = erase(session, delete(File).where(File.state == "missing"))
        for path in session.scalars(select(Archive.path)).all():
            if not os.path.lexists(path):
                erase(session, delete(Archive).where(Archive.path == path))
    return files + erase_unheld(library)


def erase_unheld(library: Library) -> int:
    """Erase pictures that no file holds, texts that nothing uses, their previews and patches; returns the pictures.

    Their vectors become dead rows, for `erase_vectors` once the live ones are published. A run that is killed before
    it has erased the previews leaves them to the next one: every preview is looked at, not only those of today's
    pictures. The caller holds the lock.
    """
    with library.write() as session:
        held = exists().where(File.image_id == Image.id)
        images = erase(session, delete(Image).where(~held))
        drop_unheld(session)
        release_regions(session)
        erase_unused_texts(session)
    with library.read() as session:
        known = set(session.scalars(select(Image.sha256)))
        kept = kept_of(session)
    store = PreviewStore(library.home)
    erase_previews(sort_previews(store, known).stray)
    library.patches.store.erase_others(known)
    erase_others(library.home, kept)
    return images
