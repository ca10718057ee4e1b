"""Drawn pictures say truly where their words are, and readings are held against them word by word."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.reading import Tally, compare
from benchmarks.reading_pictures import KINDS, DrawnPicture, DrawnWord, Kind, draw, fonts

FONTS = fonts()


@pytest.mark.skipif(not FONTS, reason="needs a TrueType font")
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_draws_the_same_picture_with_ink_in_every_word(kind: Kind) -> None:
    one, again, other = (draw(kind, seed, FONTS) for seed in (3, 3, 4))
    assert np.array_equal(one.pixels, again.pixels)
    assert one.words == again.words
    assert one.words != other.words
    height, width = one.pixels.shape[:2]
    for word in one.words:
        x0, y0, x1, y1 = word.box
        part = one.pixels[int(y0 * height) : int(y1 * height) + 1, int(x0 * width) : int(x1 * width) + 1].astype(int)
        assert np.ptp(part.sum(axis=2)) > 200, word


def test_a_word_counts_once_and_only_where_it_stands() -> None:
    picture = DrawnPicture(
        "page",
        np.zeros((10, 10, 3), np.uint8),
        (DrawnWord("Exit", (0.1, 0.1, 0.2, 0.2)), DrawnWord("exit", (0.6, 0.6, 0.8, 0.7))),
    )
    tally = Tally()
    compare(picture, [("exit now", (0.05, 0.1, 0.3, 0.2)), ("exit", (0.6, 0.1, 0.9, 0.2))], tally)
    assert [value for value, _ in tally.found] == [1, 0]
    assert sorted(value for value, _ in tally.true) == [0, 0, 1]
    assert [round(value, 2) for value, _ in tally.ious] == [0.4]
