"""Sorted arrays without repeats: what rows and ids are kept in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def distinct(values: Numbers) -> Numbers:
    """The values, ascending, each once. `np.unique` hashes them first, which takes several times as long."""
    ascending = np.sort(values)
    return ascending[firsts(ascending)]


def firsts(ascending: Numbers) -> Numbers:
    """Places at which a new value begins."""
    if len(ascending) == 0:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))


def is_member(wanted: Numbers, ascending: Numbers) -> NDArray[np.bool_]:
    """`(n,)` bool: which of the wanted are among these, without sorting them anew as `np.isin` would."""
    if len(ascending) == 0:
        return np.zeros(len(wanted), np.bool_)
    at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    found: NDArray[np.bool_] = ascending[at] == wanted
    return found


def put_in(ascending: Numbers, values: NDArray[np.float32], more: Numbers) -> tuple[Numbers, NDArray[np.float32]]:
    """Keys with values, and those of `more` (ascending) that are not among them with 0; ascending again."""
    fresh = more[~is_member(more, ascending)]
    at = np.searchsorted(ascending, fresh)
    return np.insert(ascending, at, fresh), np.insert(values, at, 0)
