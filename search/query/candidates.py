"""Which pictures are looked at: all of a small library; of a large one those that any source puts forward.

Nothing is left out by the order of rows. A picture that no source put forward has a bound: it looks no better than the
last picture that a source gave, and no text of it says more than the last text that was followed. As long as the hits
that are wanted do not lie above that bound (`search.query.reach`), the sources are asked for more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.ascending import distinct, put_in
from search.query.evidence import AskedText
from search.query.fuse import Weights
from search.snapshot import Snapshot

ALL_UP_TO = 4_096
"""Pictures up to which every one is looked at."""

FIRST = 512
"""Nearest pictures that are fetched first, per text."""

WIDER = 4
"""By how much more is fetched where the bound is not reached."""

FOLLOWED = 4_096
"""Pictures that are followed from texts; a text of more pictures than are left is not followed, and sets the bound."""

_TEXTS_FOLLOWED = 1_024


@dataclass(frozen=True, slots=True)
class Pool:
    """Pictures to be looked at.

    Attributes:
        rows: `(n,)` int64, ascending rows of the catalogue.
        whole: whether these are all that there are.
        last: `(q,)` float32, per vector that was searched the cosine that no picture outside exceeds.
    """

    rows: NDArray[np.int64]
    whole: bool
    last: NDArray[np.float32]


def whole_pool(rows: NDArray[np.int64]) -> Pool:
    """All of these, and nothing outside."""
    return Pool(rows, True, np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Told:
    """Pictures that texts of the library put forward.

    Attributes:
        rows: `(n,)` int64, rows of the catalogue, some more than once.
        beyond: `(u,)` float32, per text of the query the log-odds of words and meaning that no other picture exceeds.
    """

    rows: NDArray[np.int64]
    beyond: NDArray[np.float32]


def told(snapshot: Snapshot, asked: Sequence[AskedText], weights: Weights) -> Told:
    """Follow the texts that say most of each text of the query."""
    follow = [_follow(snapshot, one, weights) for one in asked]
    rows = np.concatenate([np.empty(0, np.int64), *(entry[0] for entry in follow)])
    return Told(rows, np.array([entry[1] for entry in follow], np.float32))


def gather(
    snapshot: Snapshot,
    known: Told,
    vectors: NDArray[np.float32],
    *,
    among: NDArray[np.int64] | None,
    fetch: int,
) -> Pool:
    """Collect pictures from all sources.

    Args:
        known: pictures that texts put forward.
        vectors: `(q, dim)` float32, L2-normalised: what pictures shall be near to.
        among: rows that may be found, ascending; None for all.
        fetch: nearest pictures per vector.
    """
    catalogue = snapshot.catalogue
    allowed = np.arange(len(catalogue.images)) if among is None else among
    if len(allowed) <= max(ALL_UP_TO, fetch):
        return whole_pool(allowed)
    where = None if among is None else np.sort(catalogue.image_vectors[among])
    scores, ids = snapshot.images.search(vectors, fetch, where=where)
    nearest = catalogue.image_rows(ids.reshape(-1))
    rows = distinct(np.concatenate([nearest[nearest >= 0], known.rows]))
    if among is not None:
        rows = rows[np.isin(rows, among, assume_unique=True)]
    return Pool(rows, False, scores[:, -1])


def _follow(snapshot: Snapshot, asked: AskedText, weights: Weights) -> tuple[NDArray[np.int64], float]:
    """The pictures of the texts that say most, and what the first text that was not followed would have given."""
    documents, said = put_in(asked.worded, weights.words * asked.word_scores, asked.meant)
    if len(documents) == 0:
        return np.empty(0, np.int64), 0.0
    said[np.searchsorted(documents, asked.meant)] += weights.meaning * asked.meanings
    if len(documents) > _TEXTS_FOLLOWED:
        best = np.argpartition(-said, _TEXTS_FOLLOWED)[: _TEXTS_FOLLOWED + 1]
        documents, said = documents[best], said[best]
    order = np.lexsort((documents, -said))
    documents, said = documents[order], said[order]
    followed = documents[:_TEXTS_FOLLOWED]
    uses = snapshot.catalogue.uses(followed)
    small = uses <= FOLLOWED // 4
    # The best first, until what they bring together is enough.
    taken = small & (np.cumsum(np.where(small, uses, 0)) <= FOLLOWED)
    left = np.flatnonzero(~taken)
    beyond = [float(said[left[0]])] if len(left) else []
    if len(documents) > _TEXTS_FOLLOWED:
        beyond.append(float(said[_TEXTS_FOLLOWED]))
    _, rows = snapshot.catalogue.images_of(followed[taken])
    return distinct(rows), max(beyond, default=0.0)
