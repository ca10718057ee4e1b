"""What a score means for this query: how it compares with what the query says of everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HIGH = 0.9
"""Quantile of a text's cosines with the library's texts, above which a text means something like it."""

_LEAST_SPREAD = 0.01
"""Where no picture stands out (a word that the encoder cannot see), small differences mean nothing."""


@dataclass(frozen=True, slots=True)
class Background:
    """How a text of a query relates to pictures and texts in general, by a sample of the library.

    Encoders differ: unrelated pictures score 0.06 ± 0.17 with one and 0.02 ± 0.03 with another. Whoever combines scores
    must measure in these units.

    Attributes:
        image_mean: mean of its cosine with pictures.
        image_spread: standard deviation of the same, at least 0.01.
        text_mean: mean of its cosine with captions and phrases.
        text_std: standard deviation of the same.
        text_high: 90th percentile of the same.
    """

    image_mean: float
    image_spread: float
    text_mean: float
    text_std: float
    text_high: float


def measure_backgrounds(
    vectors: NDArray[np.float32], images: NDArray[np.float32], texts: NDArray[np.float32]
) -> tuple[Background, ...]:
    """Measure the background of each text of a query.

    Args:
        vectors: `(u, dim)` float32, L2-normalised.
        images: `(m, dim)` float32, L2-normalised: a sample of the library's pictures; may be empty.
        texts: the same of its captions and phrases.
    """
    with_images, with_texts = images @ vectors.T, texts @ vectors.T
    return tuple(
        Background(
            image_mean=_of(with_images[:, column], np.mean),
            image_spread=max(_of(with_images[:, column], np.std), _LEAST_SPREAD),
            text_mean=_of(with_texts[:, column], np.mean),
            text_std=_of(with_texts[:, column], np.std),
            text_high=_of(with_texts[:, column], lambda values: np.quantile(values, HIGH)),
        )
        for column in range(len(vectors))
    )


def _of(values: NDArray[np.float32], measure: Callable[[NDArray[np.float32]], np.floating]) -> float:
    return float(measure(values)) if values.size else 0.0
