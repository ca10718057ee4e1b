"""The tiles of a gallery: a picture, what labels it, and the boxes that explain a query, numbered by its pieces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from search.db.said import Said, captions_of
from search.query.deriving import is_sure
from search.results import Hit
from web.deps import Engine
from web.overlay import TILE_LABELS, Overlay, draw
from web.pieces import QueryPiece, number_of
from web.templating import file_name
from web.where import where_url

_BOXES_PER_TILE = 6


@dataclass(frozen=True, slots=True)
class Label:
    """What a picture is called: a caption where there is one, else the name of its file.

    Attributes:
        named: it is the name of the file.
        machine: a captioner wrote it.
    """

    text: str
    language: str | None = None
    machine: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of a gallery with what is drawn on it; `where` is the address of what is looked for once it is seen."""

    hit: Hit
    overlay: Overlay
    label: Label
    file: str
    where: str = ""

    @property
    def alt(self) -> str:
        """The label as text."""
        return self.label.text


def tiles_of(
    engine: Engine, hits: Sequence[Hit], pieces: Sequence[QueryPiece] = (), looked_for: str = ""
) -> list[Tile]:
    """Tiles of hits.

    Args:
        hits: in their order.
        pieces: of the query, which number the boxes.
        looked_for: the query whose things are to be looked for where a sure hit has no box.
    """
    said = engine.service().look(lambda session: captions_of(session, [hit.image_id for hit in hits]))
    return [
        Tile(
            hit=hit,
            overlay=draw(hit.regions[:_BOXES_PER_TILE], TILE_LABELS, lambda region: number_of(region, pieces)),
            label=label_of(said.get(hit.image_id, ()), hit.path, hit.caption.caption_id if hit.caption else None),
            file=file_name(hit.path),
            where=where_url(hit.image_id, looked_for, hit.sha256) if looked_for and is_sure(hit) else "",
        )
        for hit in hits
    ]


def label_of(said: Sequence[Said], path: str | None, matched: int | None = None) -> Label:
    """The caption that answers the query, else the first, else the file's name.

    Args:
        said: the picture's captions.
        path: of one of its files; None where no file holds it.
        matched: number of the caption that answers the query.
    """
    chosen = next((one for one in said if one.caption_id == matched), said[0] if said else None)
    if chosen is not None and chosen.text.strip():
        return Label(chosen.text, chosen.language, chosen.machine)
    return Label(file_name(path) if path else "picture", named=True)
