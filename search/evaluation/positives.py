"""Retrieval where several answers are right: mAP@R, R-Precision and R@1, and the choice between two captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.evaluation.ranking import Figure, mean, share

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class PositiveFigures:
    """One direction of retrieval; R is the number of right answers of a query (Musgrave et al., 2020).

    Attributes:
        map_at_r: the precision at each right answer among the first R, summed and divided by R; mean over queries.
        r_precision: share of right answers among the first R, mean over queries.
        hit_at_1: per cent of queries whose first answer is right.
        answers: how many things were ranked for each.
    """

    map_at_r: Figure
    r_precision: Figure
    hit_at_1: Figure
    answers: int


def positive_figures(
    queries: NDArray[np.float32], answers: NDArray[np.float32], positives: Sequence[NDArray[np.int64]]
) -> PositiveFigures:
    """Rank all answers for every query; of equal scores the earlier row comes first.

    Args:
        queries: `(q, dim)` float32, L2-normalised.
        answers: `(n, dim)` float32, L2-normalised.
        positives: for each query the rows of its right answers, each once, at least one.
    """
    maps: list[float] = []
    precisions: list[float] = []
    firsts: list[bool] = []
    for start in range(0, len(queries), _AT_ONCE):
        scores = queries[start : start + _AT_ONCE] @ answers.T
        for row, right in zip(scores, positives[start : start + _AT_ONCE], strict=True):
            order = np.argsort(-row, kind="stable")[: len(right)]
            hits = np.isin(order, right)
            precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
            maps.append(float((precision * hits).sum() / len(right)))
            precisions.append(float(hits.mean()))
            firsts.append(bool(hits[0]))
    return PositiveFigures(mean(maps), mean(precisions), share(firsts), len(answers))


def chosen(
    images: NDArray[np.float32],
    captions: NDArray[np.float32],
    negatives: NDArray[np.float32],
    categories: Sequence[str],
) -> dict[str, Figure]:
    """Per cent of pictures nearer to their caption than to a false one, by category and of all; a tie is wrong.

    Args:
        images, captions, negatives: `(n, dim)` float32 each, L2-normalised; row `i` of each belongs together.
        categories: `(n,)`; figures come in the order in which they first occur, `all pairs` last.
    """
    right = np.einsum("nd,nd->n", images, captions) > np.einsum("nd,nd->n", images, negatives)
    found = {one: share(right[[one == other for other in categories]]) for one in dict.fromkeys(categories)}
    return found | {"all pairs": share(right)}
