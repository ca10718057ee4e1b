"""What a score means for this query: how it compares with what the query says of everything else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QUANTILE = 0.97


@dataclass(frozen=True, slots=True)
class Background:
    """How a query relates to pictures and texts in general, by a sample of the library.

    Encoders differ: unrelated pictures score 0.06 ± 0.17 with one and 0.02 ± 0.03 with another. Whoever combines scores
    must measure in these units.

    Attributes:
        image_std: standard deviation of the query's cosine with pictures.
        text_mean: mean of its cosine with captions and phrases.
        text_high: 97th percentile of the same.
    """

    image_std: float
    text_mean: float
    text_high: float


def measure_background(
    query: NDArray[np.float32], images: NDArray[np.float32], texts: NDArray[np.float32]
) -> Background:
    """Measure the background of one query.

    Args:
        query: `(1, dim)` float32, L2-normalised.
        images: `(m, dim)` float32, L2-normalised: a sample of the library's pictures; may be empty.
        texts: the same of its captions and phrases.
    """
    image_cosines = images @ query[0]
    text_cosines = texts @ query[0]
    return Background(
        image_std=float(image_cosines.std()) if image_cosines.size else 0.0,
        text_mean=float(text_cosines.mean()) if text_cosines.size else 0.0,
        text_high=float(np.quantile(text_cosines, _QUANTILE)) if text_cosines.size else 0.0,
    )
