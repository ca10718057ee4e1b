"""Text→image and image→text retrieval as papers report it: R@1, R@5, R@10 and the median rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.evaluation.ranking import recall_at

CUTOFFS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class RetrievalFigures:
    """One direction of retrieval.

    Attributes:
        recall_at: share of queries, in per cent, whose first right answer is among the first 1, 5, 10.
        intervals_at: Wilson's 95 % interval of each, in per cent.
        median_rank: of the first right answer; 1 is best.
        queries: how many were asked.
        answers: how many things were ranked for each.
    """

    recall_at: dict[int, float]
    median_rank: float
    queries: int
    answers: int
    intervals_at: dict[int, tuple[float, float]] = field(default_factory=dict)


def text_to_image(captions: NDArray[np.float32], images: NDArray[np.float32], owner: Sequence[int]) -> RetrievalFigures:
    """Every caption asks for its own picture.

    Args:
        captions: `(c, dim)` float32, L2-normalised.
        images: `(n, dim)` float32, L2-normalised.
        owner: for each caption the row of its picture.
    """
    ranks: list[int] = []
    for start in range(0, len(captions), 256):
        scores = captions[start : start + 256] @ images.T
        own = scores[np.arange(len(scores)), np.asarray(owner[start : start + 256])]
        ranks += _ranks(scores, own)
    return _figures(ranks, len(images))


def image_to_text(captions: NDArray[np.float32], images: NDArray[np.float32], owner: Sequence[int]) -> RetrievalFigures:
    """Every picture asks for its captions; the best placed of them counts.

    Args:
        captions: `(c, dim)` float32, L2-normalised.
        images: `(n, dim)` float32, L2-normalised.
        owner: for each caption the row of its picture.
    """
    owners = np.asarray(owner)
    ranks: list[int] = []
    asked = np.unique(owners)
    for row in asked:
        scores = (captions @ images[row])[None]
        ranks += _ranks(scores, scores[:, owners == row].max(axis=1))
    return _figures(ranks, len(captions))


def _ranks(scores: NDArray[np.float32], own: NDArray[np.float32]) -> list[int]:
    # Ties in the query's favour: only what scores strictly higher is placed before the right answer.
    ahead: list[int] = (scores > own[:, None]).sum(axis=1).tolist()
    return [count + 1 for count in ahead]


def _figures(ranks: Sequence[int], answers: int) -> RetrievalFigures:
    placed = np.asarray(ranks)
    figures = {k: recall_at(ranks, k) for k in CUTOFFS}
    return RetrievalFigures(
        recall_at={k: figure.value for k, figure in figures.items()},
        intervals_at={k: (figure.low, figure.high) for k, figure in figures.items()},
        median_rank=float(np.median(placed)),
        queries=len(placed),
        answers=answers,
    )
