"""Boxes for hits that no stored region explains: derived from patches, for what is shown alone, and remembered."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from vision.boxing import box_from_heats
from vision.looks import Looks
from vision.types import Box

KEPT_BOXES = 4096
"""Derived boxes in memory, some hundred bytes each."""


@dataclass(frozen=True, slots=True)
class BoxKey:
    """What a box was derived from.

    Attributes:
        image_sha256: of the picture's file.
        model: identity of the encoder.
        looks: how many the picture got.
        phrase: what was looked for.
    """

    image_sha256: str
    model: str
    looks: int
    phrase: str


class DerivedBoxes:
    """Derives boxes and keeps the last of them. Safe to call from several threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[BoxKey, Box | None] = OrderedDict()
        self._lock = Lock()

    def of(self, key: BoxKey, looks: Looks, text: NDArray[np.float32]) -> Box | None:
        """Where a phrase is, as far as patches tell; None where its map has no differences.

        Args:
            key: of this picture and phrase.
            looks: the picture's patches.
            text: `(dim,)` float32, L2-normalised: the phrase.
        """
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        box = box_from_heats(*looks.heats(text))
        with self._lock:
            self._known[key] = box
            while len(self._known) > KEPT_BOXES:
                self._known.popitem(last=False)
        return box
