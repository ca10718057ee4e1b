"""How hard a search tries: calibrated against the exact answer, on queries like those that people ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from search.vectors.index import VectorIndex

WANTED = 0.99
"""k-recall@k against the exact answer that an effort must reach; else all vectors are compared."""

AIMED = 0.9995
"""What it goes on to reach as long as that is cheap: then the first page of an answer is that of an exact scan."""

_CHEAP = 2_048
"""Candidates that are compared within half a millisecond."""

_SAME = 1e-5
"""Cosines that differ by less count as equal: storing vectors as float16 moves them about as far."""

QUERIES = 256
"""Queries that an effort is measured on: at a million vectors 12 s of exact scans."""

_MEASURED = (10, 100, 1000)
_NEEDED = 100
"""Without an effort for so many hits there is none; for more, that of fewer is enough."""
_LADDER = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_WORTH = 8
"""Candidates beyond this share of the index cost about as much as the exact scan."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How many candidates are compared exactly.

    Attributes:
        k_factor: by `k`, how many times as many candidates as hits are compared exactly.
    """

    k_factor: Mapping[int, float]

    def candidates(self, k: int) -> int:
        """How many candidates for `k` hits: as for the next larger `k` that was measured."""
        measured = sorted(self.k_factor)
        at = next((one for one in measured if one >= k), None)
        return max(k, round(at * self.k_factor[at] if at is not None else k * self.k_factor[measured[-1]]))


@dataclass(frozen=True, slots=True)
class Measured:
    """An effort with what it was measured to find.

    Attributes:
        effort: the least that reaches `AIMED` cheaply, else `WANTED`; None where only the scan does.
        recall: k-recall@k against the exact answer, by `k`; without an effort, the best that was reached.
        queries: how many it was measured on.
        of: what they were: `texts`, `texts turned` or `pictures turned`.
    """

    effort: Effort | None
    recall: Mapping[int, float]
    queries: int
    of: str

    def as_json(self) -> dict[str, Any]:
        """For `generations.measured`."""
        factors = {} if self.effort is None else self.effort.k_factor
        return {
            "k_factor": {str(k): factor for k, factor in factors.items()},
            "k_recall": {str(k): round(recall, 4) for k, recall in self.recall.items()},
            "queries": self.queries,
            "of": self.of,
        }


def read_effort(stored: Mapping[str, Any] | None) -> Effort | None:
    """The effort that a generation's row names; None where it is scanned exactly or the row cannot be understood."""
    try:
        factors = {int(k): float(factor) for k, factor in (stored or {})["k_factor"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return Effort(factors) if factors and min(factors.values()) >= 1 else None


def calibrate(index: VectorIndex, queries: NDArray[np.float32], of: str) -> Measured:
    """The least effort that finds what an exact scan finds, see `Measured`.

    Args:
        index: with codes and storage.
        queries: `(n, dim)` float32, L2-normalised.
        of: what the queries are.
    """
    factors: dict[int, float] = {}
    recalls: dict[int, float] = {}
    exact = index.search(queries, max(_MEASURED))[0]
    for k in _MEASURED:
        for factor in (one for one in _LADDER if k * one <= index.size // _WORTH):
            if k in factors and k * factor > _CHEAP:
                break
            recall = as_near(index.search(queries, k, effort=Effort({k: factor}))[0], exact[:, :k])
            recalls[k] = max(recall, recalls.get(k, 0.0))
            if recall >= WANTED:
                factors[k] = factor
            if recall >= AIMED:
                break
        if k not in factors and k > _NEEDED:
            recalls.pop(k, None)
    enough = all(k in factors for k in _MEASURED if k <= _NEEDED)
    return Measured(Effort(factors) if enough else None, recalls, len(queries), of)


def as_near(found: NDArray[np.float32], exact: NDArray[np.float32]) -> float:
    """k-recall of an answer by its scores, `(n, k)`, best first: the share that is as near as the exact answer's last.

    By ids, an answer would be wrong that took one of two texts with the same vector, where only one has a place left:
    "a dog beside a cat" and "a cat beside a dog" of an encoder that knows no order.
    """
    return float(np.mean(found >= exact[:, -1:] - _SAME))


def k_recall(found: NDArray[np.int64], exact: NDArray[np.int64]) -> float:
    """Share of the exact answer that was found, mean over `(n, k)` ids."""
    return float(np.mean([len(np.intersect1d(a, b)) / len(b) for a, b in zip(found, exact, strict=True)]))


def turned(vectors: NDArray[np.float32], cosine: float) -> NDArray[np.float32]:
    """Queries that lie off the vectors: `(n, dim)` at about this cosine to them, in random directions; always the same.

    At .2 ± .05 they are as far from pictures as the texts of CLIP encoders are.
    """
    generator = np.random.default_rng(7)
    noise = generator.normal(size=vectors.shape)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    spread = np.clip(generator.normal(cosine, 0.05, size=(len(vectors), 1)), 0.05, 0.95)
    mixed = spread * vectors + np.sqrt(1 - spread**2) * noise
    queries: NDArray[np.float32] = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
    return queries
