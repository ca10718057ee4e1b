"""One state of a library, as a query sees it from its first statement to its last."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from search.catalogue.build import Marks, highest_ids
from search.catalogue.catalogue import Catalogue
from search.catalogue.current import KIND as CATALOGUE
from search.db.schema import CalibrationRow, Generation, Model
from search.library import Library
from search.patches.kept import KeptPatches
from search.query.relevance import QUERY_CLASS, Relevance, read_relevance, unfitted
from search.vectors.searcher import Searcher

SAMPLE = 1_000
"""Vectors that stand for the library when the background of a query is measured: at most 4 MB."""


_STATE = (
    select(Model, CalibrationRow.facts, Generation.kind, Generation.id, *highest_ids())
    .outerjoin(CalibrationRow, and_(CalibrationRow.model_id == Model.id, CalibrationRow.query_class == QUERY_CLASS))
    .outerjoin(Generation, and_(Generation.model_id == Model.id, Generation.active))
    .where(Model.active)
)
"""Made once: to build a statement takes longer than the database needs for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What a query works with.

    Attributes:
        model: whose vectors they are.
        images, texts: searchers of two spaces.
        open_regions: opens the third; there are more boxes than pictures, and few queries need them in memory.
        catalogue: what belongs to what.
        relevance: what scores mean in this library.
        patches: of the pictures; None where the library keeps none.
        partial: texts were taken out (`search.query.unsaid`), so that the database knows more than the catalogue.
    """

    model: Model
    images: Searcher
    texts: Searcher
    open_regions: Callable[[Session], Searcher]
    catalogue: Catalogue
    relevance: Relevance
    patches: KeptPatches | None = None
    partial: bool = False

    def regions(self, session: Session) -> Searcher:
        """The searcher of what boxes show, as the session sees it.

        Raises:
            CorruptionError: its index is missing or not what was written.
        """
        return self.open_regions(session)

    @property
    def image_sample(self) -> NDArray[np.float32]:
        """`(m, dim)`, pictures that stand for all."""
        return self.images.sample(SAMPLE)

    @property
    def text_sample(self) -> NDArray[np.float32]:
        """`(m, dim)`, captions and phrases that stand for all."""
        return self.texts.sample(SAMPLE)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a query would be answered with.

    Attributes:
        images: pictures that are searched.
        model: name of the encoder.
        published: vectors in the indexes, by kind (`image`, `text`, `region`).
    """

    images: int
    model: str
    published: Mapping[str, int]


def readiness(session: Session, snapshot: Snapshot) -> Readiness:
    """What a query to this snapshot would be answered with."""
    spaces = {"image": snapshot.images, "text": snapshot.texts, "region": snapshot.regions(session)}
    published = {kind: one.index.size for kind, one in spaces.items() if one.index is not None}
    return Readiness(snapshot.images.size, snapshot.model.name, published)


def take_snapshot(library: Library, session: Session) -> Snapshot | None:
    """The library as this session sees it; None where nothing has been indexed.

    Raises:
        CorruptionError: an index is missing or not what was written.
    """
    rows = session.execute(_STATE).all()
    if not rows:
        return None
    model, facts = rows[0][:2]
    active = {kind: number for _, _, kind, number, *_ in rows if kind is not None}
    model_id = model.id
    spaces = library.vectors.searchers_of(session, model_id, ("image", "text"), (model.dim, active))
    return Snapshot(
        model=model,
        images=spaces["image"],
        texts=spaces["text"],
        open_regions=lambda later: library.vectors.searchers_of(later, model_id, ("region",))["region"],
        catalogue=library.catalogues.current(session, model.id, (active.get(CATALOGUE, 0), Marks(*rows[0][4:]))),
        relevance=read_relevance(facts) or unfitted(spaces["image"].size),
        patches=library.patches if library.patches.keeps(model) else None,
    )
