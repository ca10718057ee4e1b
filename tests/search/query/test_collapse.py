"""Pictures that are nearly the same stand behind the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import update

from search.db.schema import File, Image
from search.query.collapse import fold_near
from search.snapshot import take_snapshot

if TYPE_CHECKING:
    from tests.search.stock import Stock

FAR = 0x0F0F_0F0F_0F0F_0F0F
NEGATIVE = -(1 << 63)


def looking_like(stock: Stock, hashes: Sequence[int | None]) -> list[int]:
    """Pictures with these hashes, published; their ids."""
    stock.add_pictures(len(hashes))
    with stock.library.write() as session:
        for image_id, seen in zip(stock.images, hashes, strict=True):
            session.execute(update(Image).where(Image.id == image_id).values(perceptual_hash=seen))
    stock.library.publish(stock.model.id)
    return stock.images


def folded(stock: Stock, ranked: list[int], wanted: int = 10) -> dict[int, tuple[int, ...]]:
    with stock.library.read() as session:
        snapshot = take_snapshot(stock.library, session)
        assert snapshot is not None
        rows = snapshot.catalogue.rows_of_images(np.array(ranked, np.int64))
        return fold_near(session, snapshot, rows, wanted)


def test_the_best_ranked_of_near_pictures_stands_for_them(stock: Stock) -> None:
    one, near, other, also = looking_like(stock, [FAR, FAR ^ 0b111111, ~FAR, FAR ^ 0b1])
    assert folded(stock, [near, other, also, one]) == {near: (also, one)}
    assert folded(stock, [one, other, near, also]) == {one: (near, also)}


def test_a_chain_of_small_changes_does_not_end_in_another_picture(stock: Stock) -> None:
    first, second, third = looking_like(stock, [FAR, FAR ^ 0b1111, FAR ^ 0b1111_1111])
    assert folded(stock, [first, second, third]) == {first: (second,)}
    assert folded(stock, [second, first, third]) == {second: (first, third)}


def test_the_sign_is_a_bit_like_any_other(stock: Stock) -> None:
    one, two = looking_like(stock, [FAR, FAR ^ NEGATIVE])
    assert folded(stock, [one, two]) == {one: (two,)}


def test_plain_unknown_and_missing_pictures_stay_as_they_are(stock: Stock) -> None:
    ids = looking_like(stock, [0, 0, None, None, FAR, FAR])
    with stock.library.write() as session:
        session.execute(update(File).where(File.image_id == ids[4]).values(state="missing"))
    assert folded(stock, ids) == {}


def test_groups_of_the_page_are_complete_however_many_copies_lie_before(stock: Stock) -> None:
    ids = looking_like(stock, [FAR] * 1200 + [~FAR, ~FAR])
    assert folded(stock, ids, wanted=2) == {ids[0]: tuple(ids[1:1200]), ids[1200]: (ids[1201],)}
