"""Figures of rankings, each with its 95 % interval: hit@1, R@k, mean reciprocal rank, AUC."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

NOT_FOUND = float("inf")
"""The rank of a right answer that is not among the answers."""

_Z = 1.959964
_RESAMPLES = 1000
_SEED = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure.

    Attributes:
        value: in per cent, for every figure of this file; NaN where nothing was asked.
        low: lower end of the 95 % interval.
        high: its upper end.
        n: how many queries it is of.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"


def share(right: Sequence[bool] | NDArray[np.bool_]) -> Figure:
    """Per cent of queries that came out right, with Wilson's score interval (Wilson 1927)."""
    n, hits = len(right), int(np.sum(right)) if len(right) else 0
    if n == 0:
        return _nothing()
    p = hits / n
    middle = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Figure(100 * p, 100 * min(low, p), 100 * max(high, p), n)


def hit_at_1(ranks: Sequence[float]) -> Figure:
    """Per cent of queries whose first answer is a right one.

    Args:
        ranks: of the first right answer to each query; 1 is best, `NOT_FOUND` where there is none.
    """
    return recall_at(ranks, 1)


def recall_at(ranks: Sequence[float], k: int) -> Figure:
    """Per cent of queries with a right answer among the first k."""
    return share(np.asarray(ranks, np.float64) <= k)


def mean_reciprocal_rank(ranks: Sequence[float]) -> Figure:
    """Mean of 1 / rank, times 100, with a bootstrap interval over queries; what was not found counts 0."""
    return mean(1 / np.asarray(ranks, np.float64))


def mean(values: ArrayLike) -> Figure:
    """Mean of values, mostly in [0, 1], times 100, with a bootstrap interval."""
    given = np.asarray(values, np.float64)
    return bootstrap(len(given), lambda chosen: float(given[chosen].mean()))


def bootstrap(n: int, measure: Callable[[NDArray[np.int64]], float]) -> Figure:
    """A figure of n things, times 100, with an interval: percentiles of 1,000 resamples of them.

    Args:
        measure: the figure of the things at these places, `(n,)`, with repeats.
    """
    if not n:
        return _nothing()
    rng = np.random.default_rng(_SEED)
    drawn = [measure(rng.integers(n, size=n)) for _ in range(_RESAMPLES)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Figure(100 * measure(np.arange(n)), 100 * float(low), 100 * float(high), n)


def mean_by(values: ArrayLike, groups: ArrayLike) -> Figure:
    """Mean of values in [-1, 1], times 100, with a bootstrap interval over groups of values that hang together.

    Args:
        values: `(n,)`, one a query.
        groups: `(n,)` whole numbers, what each query is about: the captions of one picture are not independent.
    """
    given = np.asarray(values, np.float64)
    if not len(given):
        return _nothing()
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    sums, sizes = np.bincount(group, given), np.bincount(group)
    found = bootstrap(len(sums), lambda chosen: float(sums[chosen].sum() / sizes[chosen].sum()))
    return replace(found, n=len(given))


def auc(positive: ArrayLike, negative: ArrayLike) -> Figure:
    """Per cent of pairs in which the positive scores higher, ties half; bootstrap interval over both sides."""
    first, second = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    if not len(first) or not len(second):
        return _nothing()
    rng = np.random.default_rng(_SEED)
    drawn = [
        _auc(first[rng.integers(len(first), size=len(first))], second[rng.integers(len(second), size=len(second))])
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Figure(100 * _auc(first, second), 100 * float(low), 100 * float(high), len(first) + len(second))


def first_right(found: Sequence[int], right: frozenset[int] | set[int]) -> float:
    """The rank of the first right answer in a ranking, from 1; `NOT_FOUND` where none is right."""
    return next((float(rank) for rank, one in enumerate(found, start=1) if one in right), NOT_FOUND)


def _auc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    upto = np.searchsorted(ordered, positive, side="right")
    return float((below + upto).sum() / (2 * len(positive) * len(negative)))


def _nothing() -> Figure:
    return Figure(float("nan"), float("nan"), float("nan"), 0)
