"""From candidates (ids and scores) to hits (what a person is shown)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from search.db.images import first_paths, images_by_id
from search.results import Hit


def hydrate(
    session: Session, entries: Sequence[tuple[int, Mapping[str, float]]], *, first_rank: int
) -> tuple[Hit, ...]:
    """Look up what belongs to each candidate.

    Args:
        entries: `(image_id, parts)` in the order of the ranking; the score is the sum of the parts.
        first_rank: rank of the first entry.
    """
    ids = [image_id for image_id, _ in entries]
    images = images_by_id(session, ids)
    paths = first_paths(session, ids)
    hits: list[Hit] = []
    for image_id, parts in entries:
        image = images.get(image_id)
        path = paths.get(image_id)
        if image is None or path is None:
            continue  # Went missing between retrieval and here; the next generation leaves it out.
        hits.append(
            Hit(
                rank=first_rank + len(hits),
                image_id=image_id,
                path=path,
                score=sum(parts.values()),
                parts=dict(parts),
                width_px=image.width_px,
                height_px=image.height_px,
                sha256=image.sha256,
            )
        )
    return tuple(hits)
