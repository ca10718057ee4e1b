"""Patch vectors against texts: a picture shows a text as well as its best patches do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.boxing import Background, background_of
from vision.looks import Looks

_BEST = 3
"""Patches whose mean stands for a picture: one alone is a chance hit more often."""

_LEAST = 8
"""Pictures from which on a sample says what is usual."""

_LEAST_SPREAD = 1e-3
_CLIPPED = (-3.0, 6.0)


@dataclass(frozen=True, slots=True, eq=False)
class PatchUnits:
    """What patches reach on pictures in general, per text.

    Attributes:
        middle: `(q,)` median of the sample's scores.
        spread: `(q,)` their standard deviation.
    """

    middle: NDArray[np.float32]
    spread: NDArray[np.float32]

    def of(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores `(n, q)` in standard deviations above the middle, within bounds."""
        units: NDArray[np.float32] = np.clip((scores - self.middle) / self.spread, *_CLIPPED).astype(np.float32)
        return units


def patch_scores(pictures: Sequence[Looks], texts: NDArray[np.float32]) -> NDArray[np.float32]:
    """How well each picture's best patches show each text.

    Args:
        texts: `(q, dim)` float32, L2-normalised.

    Returns:
        `(n, q)` float32, a mean of cosines.
    """
    found = np.empty((len(pictures), len(texts)), np.float32)
    for number, looks in enumerate(pictures):
        cosines = looks.cosines(texts)
        best = min(_BEST, len(cosines))
        found[number] = np.partition(cosines, len(cosines) - best, axis=0)[-best:].mean(axis=0)
    return found


def patch_units(sample: Sequence[Looks], texts: NDArray[np.float32]) -> PatchUnits | None:
    """Measure what patches reach in general; None where there are too few pictures to tell."""
    if len(sample) < _LEAST:
        return None
    scores = patch_scores(sample, texts)
    spread = np.maximum(scores.std(axis=0), _LEAST_SPREAD)
    return PatchUnits(np.median(scores, axis=0).astype(np.float32), spread.astype(np.float32))


def peak_of(looks: Looks, text: NDArray[np.float32], count: int) -> float:
    """The largest cosine of a patch with a text `(dim,)`, among the first looks: as many as its background has."""
    return float(looks.first(count).cosines(text[None]).max())


def background_in(sample: Sequence[Looks], text: NDArray[np.float32]) -> Background | None:
    """What the best patch reaches on pictures in general; None where there are too few to tell."""
    if len(sample) < _LEAST:
        return None
    return background_of(np.array([looks.cosines(text[None]).max() for looks in sample]))
