"""Patch vectors against the parts of a query: a picture answers a part as well as its best patch does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.errors import QueryError


def patch_scores(patches: NDArray[np.floating], queries: NDArray[np.floating]) -> NDArray[np.float32]:
    """Compare every picture's best patch with every part.

    Args:
        patches: `(n, cells, dim)`, each vector L2-normalised, at least one cell.
        queries: `(q, dim)` texts of the parts, L2-normalised.

    Returns:
        `(n, q)` float32 cosines.

    Raises:
        QueryError: the shapes do not fit.
    """
    if patches.ndim != 3 or queries.ndim != 2 or patches.shape[1] == 0 or patches.shape[2] != queries.shape[1]:
        raise QueryError(f"patches {patches.shape} and parts {queries.shape} do not compare")
    cosines: NDArray[np.float32] = np.matmul(patches.astype(np.float32), queries.astype(np.float32).T).max(axis=1)
    return cosines


def in_own_units(scores: NDArray[np.float32], background: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores in units of each part's own spread, so that parts of different words can be added.

    Args:
        scores: `(n, q)` of the candidates.
        background: `(m, q)` of pictures drawn without regard to the query, `m` at least 2.

    Returns:
        `(n, q)` float32: (score − median) / standard deviation of the background, part by part.

    Raises:
        QueryError: the shapes do not fit.
    """
    if scores.ndim != 2 or background.ndim != 2 or len(background) < 2 or scores.shape[1] != background.shape[1]:
        raise QueryError(f"scores {scores.shape} and their background {background.shape} do not compare")
    spread = np.maximum(background.std(axis=0), 1e-6)
    units: NDArray[np.float32] = ((scores - np.median(background, axis=0)) / spread).astype(np.float32)
    return units
