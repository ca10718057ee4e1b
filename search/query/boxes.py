"""Stored boxes of the best candidates, and how well the phrase of each is each thing of the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from search.db.schema import Region
from search.db.told import told
from search.query.compose import Boxed, phrase_fit
from search.query.evidence import AskedText, found_in
from search.snapshot import Snapshot

COMPOSED = 300
"""Pictures whose boxes are looked at: the best before that."""

_LEAST_DEVIATIONS = 3.2
_LEAST_SHARE = 0.42
"""A phrase is as likely a thing as not from this many standard deviations above the library's texts, and from this
share of the way from their mean to the same text."""


_BOXES = (
    select(Region.image_id, Region.id, Region.text_id, Region.x0, Region.y0, Region.x1, Region.y1)
    # What is written on a sign is not there to be counted, related or missed.
    .where(Region.image_id.in_(bindparam("images", expanding=True)), Region.is_read.is_(False), told(Region))
    .order_by(Region.id)
)


def load_boxes(
    session: Session,
    snapshot: Snapshot,
    image_ids: NDArray[np.int64],
    asked: Sequence[AskedText],
    vectors: NDArray[np.float32],
) -> Boxed:
    """The regions of some pictures, with how well each is each thing.

    Args:
        image_ids: at most `COMPOSED`; one statement.
        asked: the things.
        vectors: `(len(asked), dim)` float32, L2-normalised.
    """
    rows = session.execute(_BOXES, {"images": image_ids.tolist()}).all()
    if snapshot.partial:
        rows = [row for row, kept in zip(rows, _still_said(snapshot, rows), strict=True) if kept]
    numbers = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3)
    ascending = np.argsort(image_ids)
    documents = snapshot.catalogue.rows_of_texts(numbers[:, 2])
    known = documents >= 0
    fits, shares = np.zeros((2, len(rows), len(asked)), np.float32)
    fits[known], shares[known] = thing_fit(snapshot, documents[known], asked, vectors)
    return Boxed(
        picture=ascending[np.searchsorted(image_ids, numbers[:, 0], sorter=ascending)],
        region_ids=numbers[:, 1],
        boxes=np.array([row[3:] for row in rows], np.float32).reshape(-1, 4),
        fits=fits,
        shares=shares,
    )


def _still_said(snapshot: Snapshot, regions: Sequence[Any]) -> NDArray[np.bool_]:
    """Which regions, `(image id, region id, text id, …)` each, have a phrase that the catalogue ties to the picture."""
    catalogue = snapshot.catalogue
    pictures = catalogue.rows_of_images(np.array([row[0] for row in regions], np.int64))
    documents = catalogue.rows_of_texts(np.array([row[2] for row in regions], np.int64))
    different = np.unique(pictures[pictures >= 0])
    at, held = catalogue.docs_of(different)
    tied = set(zip(different[at].tolist(), held.tolist(), strict=True))
    return np.array([pair in tied for pair in zip(pictures.tolist(), documents.tolist(), strict=True)], bool)


def thing_fit(
    snapshot: Snapshot, documents: NDArray[np.int64], asked: Sequence[AskedText], vectors: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How well texts of the library are things, and which share of their words those hold that hold others too:
    `(documents, asked)` each.
    """
    different, place = np.unique(documents, return_inverse=True)
    cosines = np.nan_to_num(snapshot.texts.cosines(snapshot.catalogue.doc_vectors[different], vectors), nan=-1.0)
    covered = np.stack([found_in(different, one.worded, one.covered) for one in asked], axis=1)
    fits = phrase_fit(cosines, middles(asked), covered)
    lengths = snapshot.catalogue.words.lengths[different].astype(np.float32)[:, None]
    held = covered * np.array([len(one.words) for one in asked], np.float32)
    others = np.where(held < lengths - 0.5, covered, 0).astype(np.float32)
    return fits[place], others[place]


def middles(asked: Sequence[AskedText]) -> NDArray[np.float32]:
    """`(t,)`: the cosine at which a phrase is as likely the thing as not."""
    means = np.array([one.background.text_mean for one in asked], np.float32)
    deviations = np.array([one.background.text_std for one in asked], np.float32)
    middle: NDArray[np.float32] = means + np.maximum(_LEAST_DEVIATIONS * deviations, _LEAST_SHARE * (1 - means))
    return middle
