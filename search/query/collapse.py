"""Fold pictures that are nearly the same into the one of them that ranks best."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import Image
from search.near import is_near, unsigned
from search.snapshot import Snapshot
from search.vectors.live import shown
from vision.perceptual import PLAIN

_SPARE = 64
"""Groups beyond the page that are looked for, as many as are looked up for it."""

_AT_ONCE = 512


def fold_near(session: Session, snapshot: Snapshot, rows: NDArray[np.int64], wanted: int) -> dict[int, tuple[int, ...]]:
    """Near-identical pictures by the best-ranked one that stands for them.

    A picture joins the best-ranked one that it is near to and that stands for itself, so that no chain of small changes
    ends in another picture. Pictures without a hash (older rows), plain ones and those that no file holds stay as
    they are.

    Args:
        session: open for reading.
        snapshot: what `rows` are rows of.
        rows: `(n,)` int64 rows of the catalogue, best first.
        wanted: for how many hits, counted from the first, groups must be complete to rank a page.

    Returns:
        Image ids of the others, in their order, by the image id of the one that stands for them.
    """
    groups: dict[int, list[int]] = {}
    leaders = np.empty(len(rows), np.uint64)
    owners: list[int] = []
    single = 0
    for start in range(0, len(rows), _AT_ONCE):
        ids = snapshot.catalogue.images[rows[start : start + _AT_ONCE]].tolist()
        hashes = _hashes(session, ids)
        for image_id in ids:
            seen = hashes.get(image_id)
            if seen is None:
                single += 1
                continue
            own = unsigned(seen)
            near = np.flatnonzero(is_near(leaders[: len(owners)], own))
            if len(near):
                groups.setdefault(owners[int(near[0])], []).append(image_id)
            else:
                leaders[len(owners)] = own
                owners.append(image_id)
        if len(owners) + single > wanted + _SPARE:
            break
    return {image_id: tuple(others) for image_id, others in groups.items()}


def _hashes(session: Session, image_ids: list[int]) -> dict[int, int]:
    """Hashes that say something, of pictures that a file holds."""
    found: dict[int, int] = {}
    for some in chunks(image_ids):
        query = select(Image.id, Image.perceptual_hash).where(Image.id.in_(some), shown(Image.id))
        found.update((image_id, seen) for image_id, seen in session.execute(query) if seen not in (None, PLAIN))
    return found
