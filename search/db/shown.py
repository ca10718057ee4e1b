"""What a hit says of its picture, for many hits at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import File, Image


@dataclass(frozen=True, slots=True)
class ShownImage:
    """What a hit says of its picture; the path is the first of the indexed files that hold it."""

    sha256: str
    width_px: int
    height_px: int
    path: str


_SHOWN = (
    select(Image.id, Image.sha256, Image.width_px, Image.height_px, File.path)
    .join(File, File.image_id == Image.id)
    .where(Image.id.in_(bindparam("ids", expanding=True)), File.state == "indexed")
    .order_by(File.path.desc())
)


def shown_images(session: Session, image_ids: Sequence[int]) -> dict[int, ShownImage]:
    """Pictures by id; those that no indexed file holds are left out."""
    found: dict[int, ShownImage] = {}
    for some in chunks(image_ids):
        rows = session.execute(_SHOWN, {"ids": list(some)})
        found.update({row[0]: ShownImage(*row[1:]) for row in rows})  # the last one written stays
    return found
