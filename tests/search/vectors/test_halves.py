"""Vectors of float16 are read as they are stored, and compared as if they had been decoded first."""

from __future__ import annotations

import numpy as np
import pytest
from stock import unit_vectors

from search.vectors.halves import compared, decoded
from search.vectors.index import VectorIndex, build_index


def test_every_finite_half_is_decoded_exactly() -> None:
    bits = np.arange(-(2**15), 2**15).astype(np.int16)
    bits = bits[np.isfinite(bits.view(np.float16))].reshape(-1, 16)
    places = np.arange(len(bits))[::-1].copy()
    assert np.array_equal(decoded(bits, places), bits[places].view(np.float16).astype(np.float32))


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 900])
def test_comparing_is_decoding_and_multiplying(count: int) -> None:
    stored = unit_vectors(1, 1000).astype(np.float16).view(np.int16)
    queries = unit_vectors(2, 3)
    places = np.random.default_rng(3).integers(0, 1000, count)
    found = compared(stored, places, queries)
    assert found.shape == (count, 3)
    assert np.allclose(found, decoded(stored, places) @ queries.T, atol=1e-6)


@pytest.mark.parametrize("key", ["Flat", "SQfp16"])
def test_an_index_gives_what_faiss_has_stored(key: str) -> None:
    index = build_index(key, 16, [(np.arange(500, dtype=np.int64), unit_vectors(1, 500))])
    _is_as_stored(index)
    if key == "SQfp16":
        _is_as_stored(index.with_codes("PQ8x4fs"))


def _is_as_stored(index: VectorIndex) -> None:
    places = np.array([3, 499, 0, 3])
    stored = np.stack([index._storage.reconstruct(int(place)) for place in places])
    assert np.array_equal(index.vectors(places), stored)
    queries = unit_vectors(2, 2)
    assert np.allclose(index.cosines(places, queries), stored @ queries.T, atol=1e-6)
