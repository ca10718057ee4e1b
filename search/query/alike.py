"""Likeness to given pictures and boxes: a picture is as like a box as the best of its own boxes, or as itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from search.db.region_rows import region_vectors_of_images, regions_of_vectors
from search.query.found import Given
from search.query.fuse import Weights
from search.query.rank import Ranked
from search.snapshot import Snapshot

SAMPLED = 256
"""Pictures that say how like a box pictures are in general."""

_ONE_BY_ONE = 4_096
"""Pictures that filters leave up to which their boxes alone are compared; of more, all boxes are, the nearest first."""

_BOXES_EACH = 4
"""Boxes that are fetched for each picture wanted: several of one picture come together."""

_LEAST_SPREAD = 0.01


def of_boxes(given: Given) -> NDArray[np.bool_]:
    """`(l,)` bool: which of the likes are boxes."""
    return np.array([like.of == "region" for like in given.ask.branch.likes], bool)


def best_boxes(
    session: Session, snapshot: Snapshot, rows: NDArray[np.int64], queries: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The box of each picture that is nearest to each query.

    Args:
        rows: `(n,)` int64, of the catalogue's pictures.
        queries: `(q, dim)` float32, L2-normalised.

    Returns:
        cosines `(n, q)` float32 and embedding ids `(n, q)` int64; -1 of both where a picture has no such box.
    """
    cosines = np.full((len(rows), len(queries)), -1, np.float32)
    chosen = np.full((len(rows), len(queries)), -1, np.int64)
    ids = snapshot.catalogue.images[rows]
    owned = sorted(region_vectors_of_images(session, snapshot.model.id, ids.tolist()))
    if not owned:
        return cosines, chosen
    images, vectors = np.array(owned, np.int64).T
    found = snapshot.regions(session).cosines(vectors, queries)
    known = ~np.isnan(found).any(axis=1)
    images, vectors, found = images[known], vectors[known], found[known]
    order = np.argsort(ids, kind="stable")
    at = order[np.searchsorted(ids[order], images)]
    for number in range(len(queries)):
        best_last = np.lexsort((-vectors, found[:, number]))  # of equals, the older one
        cosines[at[best_last], number] = np.clip(found[best_last, number], -1, 1)
        chosen[at[best_last], number] = vectors[best_last]
    return cosines, chosen


def nearest_by_box(
    session: Session, snapshot: Snapshot, query: NDArray[np.float32], count: int, among: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """Rows of the pictures whose boxes come nearest, at least `count` where there are as many; the nearest first.

    Args:
        query: `(dim,)` float32, L2-normalised.
        among: rows that may be found, ascending; None for all.
    """
    space, catalogue, where = snapshot.regions(session), snapshot.catalogue, None
    if among is not None and len(among) <= _ONE_BY_ONE:
        owned = region_vectors_of_images(session, snapshot.model.id, catalogue.images[among].tolist())
        where = np.sort(np.array([vector for _, vector in owned], np.int64))
    fetch = min(space.size, _BOXES_EACH * count)
    while fetch:
        _, ids = space.search(query[None], fetch, where=where)
        owners = regions_of_vectors(session, ids[0][ids[0] >= 0].tolist())
        images = [owners[vector][0] for vector in ids[0].tolist() if vector in owners]
        rows = catalogue.rows_of_images(np.array(list(dict.fromkeys(images)), np.int64))
        rows = rows[rows >= 0] if among is None else rows[np.isin(rows, among)]
        if len(rows) >= count or fetch >= (space.size if where is None else len(where)):
            return rows
        fetch = min(space.size, _BOXES_EACH * fetch)
    return np.empty(0, np.int64)


def likeness(
    session: Session, snapshot: Snapshot, rows: NDArray[np.int64], given: Given, weights: Weights
) -> NDArray[np.float32]:
    """`(n,)` float32: likeness of pictures to all that was given, each in units of its own spread over the library."""
    if len(given.likes) == 0:
        return np.zeros(len(rows), np.float32)
    cosines = np.nan_to_num(snapshot.images.cosines(snapshot.catalogue.image_vectors[rows], given.likes), nan=-1.0)
    sample = snapshot.image_sample @ given.likes.T
    middle, spread = sample.mean(axis=0), sample.std(axis=0)
    boxed = of_boxes(given)
    if boxed.any():
        likes = given.likes[boxed]
        cosines[:, boxed] = np.maximum(cosines[:, boxed], best_boxes(session, snapshot, rows, likes)[0])
        usual = _usual(session, snapshot, likes)
        middle[boxed], spread[boxed] = usual.mean(axis=0), usual.std(axis=0)
    units = (cosines - middle) / np.maximum(spread, _LEAST_SPREAD)
    found: NDArray[np.float32] = (weights.look_alone * (units @ given.weights)).astype(np.float32)
    return found


def by_look(session: Session, snapshot: Snapshot, given: Given, count: int) -> Ranked:
    """The nearest pictures by the cosine alone: of the text and what is given with it, as one vector.

    Args:
        count: pictures that are wanted, where there are as many.
    """
    catalogue, query = snapshot.catalogue, _as_one(given, snapshot.model.dim)
    where = None if given.among is None else np.sort(catalogue.image_vectors[given.among])
    scores, ids = snapshot.images.search(query, min(snapshot.images.size, count), where=where)
    rows = catalogue.image_rows(ids[0])
    own = np.clip(scores[0], -1, 1)[rows >= 0]
    rows = rows[rows >= 0]
    parts = {"image": own}
    if given.is_one_box:
        rows = np.union1d(rows, nearest_by_box(session, snapshot, query[0], count, given.among))
        own = np.nan_to_num(snapshot.images.cosines(catalogue.image_vectors[rows], query)[:, 0], nan=-1.0)
        boxes = best_boxes(session, snapshot, rows, query)[0][:, 0]
        parts = {"image": np.where(own >= boxes, own, 0), "box": np.where(own >= boxes, 0, boxes)}
    ranked = Ranked(rows, parts, sum(parts.values(), np.zeros(len(rows), np.float32)))
    kept = np.flatnonzero(~np.isin(rows, given.without))
    return ranked.only(kept[np.lexsort((rows[kept], -ranked.total[kept]))])


def _as_one(given: Given, dim: int) -> NDArray[np.float32]:
    """`(1, dim)`, L2-normalised."""
    ask = given.ask
    pieces = list(given.weights[:, None] * given.likes)
    pieces += [] if ask.main is None else [given.vectors[ask.main]]
    pieces += [weight * given.vectors[text] for text, weight in ask.extra]
    pieces += [-0.5 * given.vectors[text] for text in ask.without]
    query = np.zeros((1, dim), np.float32)
    for piece in pieces:
        query += piece
    query /= max(float(np.linalg.norm(query)), 1e-6)
    return query


def _usual(session: Session, snapshot: Snapshot, likes: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(m, l)`: how like some boxes pictures are that were drawn without regard to them."""
    catalogue = snapshot.catalogue
    size = len(catalogue.images)
    rows = np.unique(np.linspace(0, size - 1, min(SAMPLED, size)).astype(np.int64))
    own = np.nan_to_num(snapshot.images.cosines(catalogue.image_vectors[rows], likes), nan=-1.0)
    usual: NDArray[np.float32] = np.maximum(own, best_boxes(session, snapshot, rows, likes)[0])
    return usual
