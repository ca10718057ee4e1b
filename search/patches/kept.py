"""The patches that a library keeps, read for queries; a sample of them stays in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import Catalogue
from search.db.schema import Image, Model
from search.patches.store import PatchStore
from vision.looks import Looks

SAMPLED = 64
"""Pictures that say what patches reach in general."""

_SAMPLE_BYTES = 32 << 20


class KeptPatches:
    """Reads the patches of a library; safe to call from several threads.

    Args:
        home: the library's folder.

    Attributes:
        store: where they lie.
    """

    def __init__(self, home: Path) -> None:
        self.store = PatchStore(home)
        self._lock = Lock()
        self._sampled: tuple[str, int, tuple[Looks, ...]] | None = None

    def keeps(self, model: Model) -> bool:
        """Whether the library keeps patches of this model."""
        kept = self.store.kept()
        return kept is not None and kept.model == model.identity

    def read(self, session: Session, model: Model, image_ids: Sequence[int]) -> dict[int, Looks]:
        """Patches by picture; a picture of which none are kept is left out. One statement."""
        rows = session.execute(select(Image.id, Image.sha256).where(Image.id.in_(list(image_ids))))
        found = {image_id: self.store.read(sha256, model.identity) for image_id, sha256 in rows}
        return {key: looks for key, looks in found.items() if looks is not None and looks.dim == model.dim}

    def sample(self, session: Session, model: Model, catalogue: Catalogue) -> tuple[Looks, ...]:
        """Patches of pictures drawn without regard to any query; others when the library has doubled."""
        age = age_of(catalogue)
        with self._lock:
            known = self._sampled
        if known is None or known[:2] != (model.identity, age):
            read = self.read(session, model, sampled_images(catalogue))
            some = [read[key] for key in sorted(read)]
            most = max(_SAMPLE_BYTES // some[0].patches.nbytes, 1) if some else 1
            known = (model.identity, age, tuple(some[:: -(-max(len(some), 1) // most)]))
            with self._lock:
                self._sampled = known
        return known[2]

    def forget_sample(self) -> None:
        """Read the sample again at the next need: patches have been made or erased."""
        with self._lock:
            self._sampled = None


def age_of(catalogue: Catalogue) -> int:
    """How often a library has doubled: a sample stands for it until it does again."""
    return len(catalogue.images).bit_length()


def sampled_images(catalogue: Catalogue, count: int = SAMPLED) -> list[int]:
    """Ids of pictures that stand for all, spread evenly over the library."""
    size = len(catalogue.images)
    rows = np.unique(np.linspace(0, max(size - 1, 0), min(count, size)).astype(np.int64))
    return [int(image_id) for image_id in catalogue.images[rows]]
