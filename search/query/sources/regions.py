"""What a box of the library shows, as a picture or as a vector: for "more with this"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.region_rows import vectors_of_regions
from search.db.schema import Image, Region
from search.db.told import told
from search.errors import NotFoundError
from search.previews import SIZES_PX, PreviewStore
from search.snapshot import Snapshot
from vision.types import Box, RgbImage

PADDING = 0.1
"""By which share of its sides a box is widened on each side: what stands around a thing helps to know it."""

_LEAST_PX = 16


def crop_of(session: Session, previews: PreviewStore, region_id: int) -> RgbImage:
    """The part of a preview that a region shows, HWC uint8 RGB.

    Raises:
        NotFoundError: there is no such region, or its picture has no preview to cut it from.
    """
    row = session.execute(
        select(Image.sha256, Region.x0, Region.y0, Region.x1, Region.y1)
        .join(Image, Image.id == Region.image_id)
        .where(Region.id == region_id, told(Region))
    ).first()
    if row is None:
        raise NotFoundError(f"there is no region {region_id} in this library")
    for size_px in sorted(SIZES_PX, reverse=True):
        picture = previews.pixels(row.sha256, size_px)
        if picture is not None:
            return cut(picture, Box(row.x0, row.y0, row.x1, row.y1))
    raise NotFoundError(
        f"the picture of region {region_id} has no preview",
        remedy="Open the picture's page once, or run `deixis index`.",
    )


def vectors_or_crops(
    session: Session, snapshot: Snapshot, previews: PreviewStore, region_ids: Sequence[int]
) -> tuple[dict[int, NDArray[np.float32]], dict[int, RgbImage]]:
    """What regions show: `(dim,)` float32, L2-normalised, where the library has stored it; crops where it has not.

    Raises:
        NotFoundError: as `crop_of`, of a region without a vector.
    """
    owned = vectors_of_regions(session, snapshot.model.id, region_ids)
    stored: dict[int, NDArray[np.float32]] = {}
    if owned:
        vectors = snapshot.regions(session).vectors(np.array(list(owned.values()), np.int64))
        stored = {one: vector for one, vector in zip(owned, vectors, strict=True) if not np.isnan(vector).any()}
    return stored, {one: crop_of(session, previews, one) for one in region_ids if one not in stored}


def cut(picture: RgbImage, box: Box) -> RgbImage:
    """The padded box of a picture, at least 16 px wide and high where the picture is."""
    height, width = picture.shape[:2]
    x0, x1 = _widened(box.x0 * width, box.x1 * width, width)
    y0, y1 = _widened(box.y0 * height, box.y1 * height, height)
    return np.ascontiguousarray(picture[y0:y1, x0:x1])


def _widened(low: float, high: float, limit: int) -> tuple[int, int]:
    extra = max((high - low) * PADDING, (_LEAST_PX - (high - low)) / 2, 0)
    first, last = max(int(low - extra), 0), min(int(np.ceil(high + extra)), limit)
    return min(first, limit - 1), max(last, first + 1)
