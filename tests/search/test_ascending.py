"""Ascending arrays: as numpy's own functions have it."""

from __future__ import annotations

import numpy as np
import pytest

from search.ascending import distinct, firsts, is_member, put_in


@pytest.mark.parametrize("size", [0, 1, 2, 50])
def test_like_numpy(size: int) -> None:
    generator = np.random.default_rng(size)
    values, wanted = generator.integers(0, 40, size), generator.integers(0, 40, 30)
    ascending = distinct(values)
    assert np.array_equal(ascending, np.unique(values))
    assert np.array_equal(firsts(np.sort(values)), np.unique(np.sort(values), return_index=True)[1])
    assert np.array_equal(is_member(wanted, ascending), np.isin(wanted, values))


def test_new_keys_are_put_between_the_known_ones() -> None:
    keys, values = put_in(np.array([2, 5]), np.array([1, 2], np.float32), np.array([1, 2, 4, 9]))
    assert keys.tolist() == [1, 2, 4, 5, 9]
    assert values.tolist() == [0, 1, 0, 2, 0]
