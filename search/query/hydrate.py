"""From candidates (rows and scores) to hits (what a person is shown)."""

from __future__ import annotations

import numpy as np
from sqlalchemy.orm import Session

from search.db.shown import shown_images
from search.query.engine import Ordered
from search.results import Hit
from search.snapshot import Snapshot

_SPARE = 64
"""Candidates looked up beyond the page, for those whose file went missing since the catalogue was made."""

_FROM_THE_FIRST = 1_000
"""Up to this offset the missing are counted from the first hit on, so that no page repeats a hit of the one before."""


def hydrate(
    session: Session,
    snapshot: Snapshot,
    ordered: Ordered,
    *,
    k: int,
    offset: int,
    without: frozenset[int] = frozenset(),
) -> tuple[tuple[Hit, ...], bool]:
    """Look up what belongs to the hits of one page.

    Args:
        without: ids of pictures that were folded into others.

    Returns:
        The hits, and whether others follow.
    """
    first = 0 if offset <= _FROM_THE_FIRST else offset
    places = np.arange(first, min(len(ordered.rows), offset + k + 1 + _SPARE + len(without)))
    ids = snapshot.catalogue.images[ordered.rows[places]].tolist()
    found = shown_images(session, ids)
    shown = [(at, one) for at, one in zip(places.tolist(), ids, strict=True) if one in found and one not in without]
    page = shown[offset - first : offset - first + k]
    hits: list[Hit] = []
    for at, image_id in page:
        image = found[image_id]
        hits.append(
            Hit(
                rank=offset + len(hits) + 1,
                image_id=image_id,
                path=image.path,
                score=float(ordered.scores[at]),
                parts=ordered.parts(at),
                width_px=image.width_px,
                height_px=image.height_px,
                sha256=image.sha256,
                likelihood=None if ordered.likelihood is None else round(float(ordered.likelihood[at]), 4),
                likely=ordered.likely is None or at < ordered.likely,
            )
        )
    return tuple(hits), len(shown) > offset - first + k


def plain_hits(session: Session, image_ids: list[int], first_rank: int) -> tuple[Hit, ...]:
    """Hits without reasons, in this order: for a page without a query."""
    found = shown_images(session, image_ids)
    present = [image_id for image_id in image_ids if image_id in found]
    return tuple(
        Hit(
            rank=first_rank + number,
            image_id=image_id,
            path=found[image_id].path,
            score=0.0,
            parts={},
            width_px=found[image_id].width_px,
            height_px=found[image_id].height_px,
            sha256=found[image_id].sha256,
        )
        for number, image_id in enumerate(present)
    )
