"""Vectors that are stored as float16, read many at a time: FAISS decodes them one by one, ten times as slowly.

The bits of a half, moved to where a float32 has them, are the same number times 2⁻¹¹²; that factor is exact, and given
back to what the vectors are multiplied with.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Halves = NDArray[np.int16]
"""`(size, dim)`, the bits of float16."""

_SCALE = np.float32(2.0**112)
_AT_ONCE = 256
"""Rows that stay in the processor's cache while they are decoded and compared."""

_FRACTION_BITS = 13
"""By how many bits the fraction of a float32 is longer."""

_KEPT = np.int32(-0x70000001)
"""All but the three bits between a half's sign and its exponent, which are copies of the sign by then."""


def decoded(stored: Halves, places: NDArray[np.int64]) -> NDArray[np.float32]:
    """`(n, dim)` float32: the vectors at these places, each number exactly as stored."""
    found = np.empty((len(places), stored.shape[1]), np.float32)
    for part, scaled in _scaled(stored, places):
        np.multiply(scaled, _SCALE, out=found[part])
    return found


def compared(stored: Halves, places: NDArray[np.int64], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(n, q)` float32: inner products of the vectors at these places with the queries `(q, dim)`."""
    found = np.empty((len(places), len(queries)), np.float32)
    columns = np.ascontiguousarray(queries.T * _SCALE)
    for part, scaled in _scaled(stored, places):
        np.matmul(scaled, columns, out=found[part])
    return found


def _scaled(stored: Halves, places: NDArray[np.int64]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Blocks of the vectors times 2⁻¹¹²; each is written over by the next."""
    shape = (min(_AT_ONCE, len(places)), stored.shape[1])
    bits, wide = np.empty(shape, np.int16), np.empty(shape, np.int32)
    for first in range(0, len(places), _AT_ONCE):
        part = slice(first, min(first + _AT_ONCE, len(places)))
        rows = part.stop - first
        np.take(stored, places[part], axis=0, out=bits[:rows], mode="clip")
        np.left_shift(bits[:rows], _FRACTION_BITS, out=wide[:rows], dtype=np.int32)
        np.bitwise_and(wide[:rows], _KEPT, out=wide[:rows])
        yield part, wide[:rows].view(np.float32)
