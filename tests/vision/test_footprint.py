"""What a batch will take follows from what two smaller ones took."""

from __future__ import annotations

import pytest

from vision.footprint import Footprint

_MB = 10**6


def _of(*seen: tuple[int, int, int]) -> Footprint:
    footprint = Footprint()
    for estimated, before, peak in seen:
        footprint.add(estimated * _MB, before * _MB, peak * _MB)
    return footprint


@pytest.mark.parametrize(
    ("seen", "ratio"),
    [
        ([], None),
        ([(2, 100, 120)], None),
        ([(2, 100, 120), (8, 100, 180)], 10),  # 10 MB per estimated MB and nothing besides
        ([(2, 100, 520), (8, 500, 580)], 10),  # 400 MB of weights were read on the way and stayed
        ([(2, 100, 120), (8, 120, 180)], 10),  # an allocator kept what it had
        ([(2, 300, 320), (8, 100, 180)], 10),  # the process gave 200 MB back in between
        ([(2, 100, 120), (8, 100, 120)], 0),
        ([(2, 100, 120), (3, 100, 900)], None),  # too close to teach anything
        ([(2, 0, 20), (8, 0, 80), (32, 0, 560)], 20),  # the two largest count
    ],
)
def test_the_slope_is_that_of_the_two_largest_batches(seen: list[tuple[int, int, int]], ratio: float | None):
    assert _of(*seen).ratio == (None if ratio is None else pytest.approx(ratio))


@pytest.mark.parametrize(
    ("seen", "free", "fits"),
    [
        ([], 400, 100),  # a quarter by the estimate alone
        ([(2, 100, 900)], 400, 100),  # one batch tells little: weights may be in it
        ([(2, 100, 101)], 400, 400),  # but what fits by the whole of its growth fits
        ([(2, 100, 120), (8, 100, 180)], 400, 20),  # half: 200 MB at 10 MB each
        ([(2, 100, 120), (8, 100, 180)], 40, 2),
        ([(2, 100, 120), (8, 100, 180)], 0, 0),
        ([(2, 100, 120), (8, 100, 120)], 400, 400),  # no growth to be seen
        ([(2, 100, 120), (8, 100, 120)], 30, 4),  # and yet not even this fits any more
    ],
)
def test_half_of_what_is_free_is_left_alone(seen: list[tuple[int, int, int]], free: int, fits: int):
    assert _of(*seen).fits(free * _MB) == pytest.approx(fits * _MB)
