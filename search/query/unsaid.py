"""A library as if some texts had never been written: what is asked must not answer itself when search is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import TEXT
from search.db.schema import Caption, Region
from search.db.told import told
from search.query.fitting import fit
from search.query.relevance import unfitted
from search.snapshot import Snapshot


def without_text(session: Session, snapshot: Snapshot, text_id: int) -> Snapshot:
    """The library in which one caption says nothing of any picture, nor do the phrases that are boxed in it.

    A phrase stays where another text of the picture has it boxed too. The vector of the text stays among those by which
    the background of a query is measured.

    Args:
        text_id: of `texts`; one that the catalogue does not hold changes nothing.
    """
    catalogue = snapshot.catalogue
    own = [(image_id, text_id) for image_id in _pictures_of(snapshot, text_id)]
    pairs = [*own, *_phrases(session, text_id)]
    images = catalogue.rows_of_images(np.array([pair[0] for pair in pairs], np.int64))
    documents = catalogue.rows_of_texts(np.array([pair[1] for pair in pairs], np.int64))
    known = (images >= 0) & (documents >= 0)
    return replace(snapshot, catalogue=catalogue.unlinked(images[known], documents[known]), partial=True)


def without_pictures(session: Session, snapshot: Snapshot, image_ids: Sequence[int]) -> Snapshot:
    """The library in which nothing was written about some pictures, and its relevance fitted to the rest.

    Names of files and folders stay. Texts that are about no other picture take part in nothing, neither by their words
    nor by their vectors.
    """
    catalogue = snapshot.catalogue
    rows = catalogue.rows_of_images(np.asarray(image_ids, np.int64))
    rows = rows[rows >= 0]
    at, documents = catalogue.docs_of(rows)
    texts = catalogue.doc_kind[documents] == TEXT
    less = catalogue.unlinked(rows[at[texts]], documents[texts])
    said = np.flatnonzero((less.doc_kind == TEXT) & (less.doc_vectors > 0))
    said = said[less.uses(said) > 0]
    texts_left = snapshot.texts.only(np.sort(less.doc_vectors[said]))
    plain = unfitted(snapshot.images.size)
    seen = replace(snapshot, catalogue=less, texts=texts_left, relevance=plain, partial=True)
    return replace(seen, relevance=fit(session, seen) or plain)


def _pictures_of(snapshot: Snapshot, text_id: int) -> list[int]:
    """Ids of the pictures that a text is about, ascending."""
    catalogue = snapshot.catalogue
    rows = catalogue.rows_of_texts(np.array([text_id], np.int64))
    pictures: NDArray[np.int64] = catalogue.images_of(rows[rows >= 0])[1]
    found: list[int] = catalogue.images[pictures].tolist()
    return found


def _phrases(session: Session, text_id: int) -> list[tuple[int, int]]:
    """(picture, phrase) of the boxes that belong to a caption, where nothing else ties the two."""
    captions = select(Caption.id).where(Caption.text_id == text_id)
    images = select(Caption.image_id).where(Caption.text_id == text_id)
    boxed = select(Region.image_id, Region.text_id).where(Region.caption_id.in_(captions), told(Region)).distinct()
    pairs = {(image_id, phrase) for image_id, phrase in session.execute(boxed)}
    if not pairs:
        return []
    elsewhere = (
        told(Region),
        Region.image_id.in_(images),
        Region.caption_id.is_(None) | Region.caption_id.not_in(captions),
    )
    also_boxed = session.execute(select(Region.image_id, Region.text_id).where(*elsewhere))
    written = (told(Caption), Caption.image_id.in_(images), Caption.text_id != text_id)
    also_written = session.execute(select(Caption.image_id, Caption.text_id).where(*written))
    kept = {(image_id, phrase) for image_id, phrase in [*also_boxed, *also_written]}
    return sorted(pairs - kept)
