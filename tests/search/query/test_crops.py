"""Parts of pictures that are given with a query."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.errors import QueryError
from search.query.sources.crops import cropped

PICTURE = np.arange(10 * 20 * 3).reshape(10, 20, 3).astype(np.uint8)


def test_each_picture_has_its_part_and_the_rest_stay_whole() -> None:
    first, second, third = cropped([PICTURE] * 3, ["0.5,0,1,0.5", " "])
    assert first.shape == (5, 10, 3)
    np.testing.assert_array_equal(first, PICTURE[:5, 10:])
    assert second is PICTURE
    assert third is PICTURE


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_any_part_that_is_one_leaves_pixels(x0: float, y0: float, x1: float, y1: float) -> None:
    if x0 < x1 and y0 < y1:
        (part,) = cropped([PICTURE], [f"{x0!r},{y0!r},{x1!r},{y1!r}"])
        assert min(part.shape) >= 1


@pytest.mark.parametrize(
    "part", ["0,0,1", "a,b,c,d", "0.5,0,0.5,1", "0,0,1,1.1", "inf,0,1,1", "0,0,1,1,1", "x" * 10_000]
)
def test_what_is_no_part_is_told(part: str) -> None:
    with pytest.raises(QueryError, match="no part of a picture"):
        cropped([PICTURE], [part])


def test_more_parts_than_pictures_are_refused() -> None:
    with pytest.raises(QueryError, match="2 crops came with 1"):
        cropped([PICTURE], ["", ""])
