"""Which of some pictures are nearly the same as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search.db.schema import Image
from search.near import NEAR_BITS
from search.near_copies import near_copies
from vision.perceptual import PLAIN

if TYPE_CHECKING:
    from tests.search.stock import Stock

NEAR, FAR = (1 << NEAR_BITS) - 1, (1 << (NEAR_BITS + 1)) - 1


@pytest.mark.parametrize("own", [0x0F0F0F0F0F0F0F0F, -0x0F0F0F0F0F0F0F0F])
def test_hashes_that_differ_in_few_bits_are_near_and_plain_ones_never(stock: Stock, own: int) -> None:
    stock.add_pictures(6)
    asked, near, far, plain, without, unasked = stock.images
    with stock.library.write() as session:
        for image_id, seen in ((asked, own), (near, own ^ NEAR), (far, own ^ FAR), (plain, PLAIN), (unasked, own)):
            session.get_one(Image, image_id).perceptual_hash = seen
    with stock.library.read() as session:
        assert near_copies(session, asked, [near, far, plain, without]) == {near}
        assert near_copies(session, plain, [near, unasked]) == frozenset()
        assert near_copies(session, without, [near]) == frozenset()
        assert near_copies(session, unasked, []) == frozenset()
