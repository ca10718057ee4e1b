"""Patch vectors against texts: a picture shows a text as well as its best patches do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vision.boxing import Background, background_of
from vision.looks import WITH_PARTS, Looks

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
        backgrounds: what the best patch of the sample's pictures reaches, one for each text.
        looks: how many the sample's pictures got: peaks compare with those of as many.
    """

    middle: NDArray[np.float32]
    spread: NDArray[np.float32]
    backgrounds: tuple[Background, ...]
    looks: int

    def of(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores `(n, q)` in standard deviations above the middle, within bounds."""
        units: NDArray[np.float32] = np.clip((scores - self.middle) / self.spread, *_CLIPPED).astype(np.float32)
        return units

    def strengths(self, peaks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Peaks `(n, q)` as strengths in [0, 1]."""
        columns = [
            [background.strength(float(peak)) for peak in peaks[:, text]]
            for text, background in enumerate(self.backgrounds)
        ]
        return np.array(columns, np.float32).reshape(len(self.backgrounds), len(peaks)).T


def patch_scores(cosines: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """How well each picture's best patches show each text, `(n, q)` float32, a mean of cosines.

    Args:
        cosines: `(cells, q)` of each picture, from `Looks.cosines`.
    """
    found = []
    for one in cosines:
        best = min(_BEST, len(one))
        found.append(np.partition(one, len(one) - best, axis=0)[-best:].mean(axis=0))
    return np.array(found, np.float32)


def peaks_of(pictures: Sequence[Looks], cosines: Sequence[NDArray[np.float32]], looks: int) -> NDArray[np.float32]:
    """The largest cosine of a patch with each text, `(n, q)`, among the first looks at each picture."""
    return np.array([one[: of.cells(looks)].max(axis=0) for of, one in zip(pictures, cosines, strict=True)], np.float32)


def patch_units(sample: Sequence[Looks], texts: NDArray[np.float32]) -> PatchUnits | None:
    """Measure what patches reach in general; None where there are too few pictures to tell.

    Args:
        sample: pictures drawn without regard to the texts.
        texts: `(q, dim)` float32, L2-normalised.
    """
    if len(sample) < _LEAST:
        return None
    cosines = [looks.cosines(texts) for looks in sample]
    looks = min(len(one.patches) for one in sample)
    scores, peaks = patch_scores(cosines), peaks_of(sample, cosines, WITH_PARTS)
    spread = np.maximum(scores.std(axis=0), _LEAST_SPREAD)
    return PatchUnits(
        middle=np.median(scores, axis=0).astype(np.float32),
        spread=spread.astype(np.float32),
        backgrounds=tuple(background_of(peaks[:, text]) for text in range(len(texts))),
        looks=looks,
    )
