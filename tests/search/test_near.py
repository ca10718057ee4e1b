"""Groups of near hashes are those that comparing everything with everything would give."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from search.near import NEAR_BITS, is_near, leaders, unsigned


def by_comparing_all(hashes: NDArray[np.uint64]) -> list[int]:
    """The definition: the first leader that is near, else itself."""
    leading: list[int] = []
    found = []
    for place, one in enumerate(hashes):
        near = [leader for leader in leading if is_near(hashes[leader : leader + 1], one)[0]]
        leading += [] if near else [place]
        found.append(near[0] if near else place)
    return found


def clustered(seed: int, count: int, centres: int, flips: int) -> NDArray[np.uint64]:
    """Hashes that lie up to `flips` bits from one of a few."""
    rng = np.random.default_rng(seed)
    made = rng.integers(0, 2**64, centres, np.uint64)[rng.integers(0, centres, count)]
    for _ in range(flips):
        some = rng.random(count) < 0.7
        made[some] ^= np.uint64(1) << rng.integers(0, 64, int(some.sum()), np.uint64)
    return made


@pytest.mark.parametrize("flips", [0, 1, 3, 5, 8, 12])
@pytest.mark.parametrize("centres", [1, 7, 200])
def test_the_groups_are_those_of_the_definition(centres: int, flips: int) -> None:
    hashes = clustered(flips, 400, centres, flips)
    assert leaders(hashes).tolist() == by_comparing_all(hashes)


@pytest.mark.parametrize("limit", [1, 50, 3_000])
def test_the_groups_do_not_depend_on_how_much_is_compared_at_once(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = clustered(1, 500, 20, 6)
    expected = leaders(hashes).tolist()
    monkeypatch.setattr("search.near._COMPARED", limit)
    monkeypatch.setattr("search.near._AT_ONCE", 64)
    assert leaders(hashes).tolist() == expected == by_comparing_all(hashes)


def test_every_way_to_differ_in_as_many_bits_as_allowed_is_found() -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        bits = rng.choice(64, NEAR_BITS + 1, replace=False)
        near = sum(1 << int(bit) for bit in bits[:NEAR_BITS])
        far = near | 1 << int(bits[-1])
        one = int(rng.integers(0, 2**64, dtype=np.uint64))
        assert leaders(np.array([one, one ^ near], np.uint64)).tolist() == [0, 0]
        assert leaders(np.array([one, one ^ far], np.uint64)).tolist() == [0, 1]


def test_a_chain_of_small_changes_does_not_hang_together() -> None:
    steps = np.array([(1 << 3 * step) - 1 for step in range(21)], np.uint64)
    assert leaders(steps).tolist() == [0, 0, 0] + [3, 3, 3] + [6, 6, 6] + [9] * 3 + [12] * 3 + [15] * 3 + [18] * 3


def test_nothing_and_one_are_no_special_case() -> None:
    assert leaders(np.empty(0, np.uint64)).tolist() == []
    assert leaders(np.array([7], np.uint64)).tolist() == [0]


def test_a_stored_hash_is_read_as_bits() -> None:
    assert int(unsigned(-1)) == 2**64 - 1
    assert int(unsigned(-(2**63))) == 2**63


@pytest.mark.parametrize("count", [10_000, 100_000])
def test_what_is_compared_grows_hardly_faster_than_the_library(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counting(hashes: NDArray[np.uint64], one: NDArray[np.uint64]) -> NDArray[np.bool_]:
        nonlocal compared
        compared += len(hashes)
        return is_near(hashes, one)

    monkeypatch.setattr("search.near.is_near", counting)
    pictures = np.random.default_rng(2).integers(0, 2**64, count, np.uint64)
    copies = pictures[: count // 10] ^ np.uint64(0b10101)
    led = leaders(np.concatenate([pictures, copies]))
    assert led[:count].tolist() == list(range(count))
    assert led[count:].tolist() == list(range(count // 10))
    # Of all pairs there would be `count` / 2 for each picture, 50,000 of 100,000.
    assert compared < count * (8 + count / 1_400)


def test_a_hundred_thousand_pictures_of_one_kind_are_one_group() -> None:
    rng = np.random.default_rng(3)
    noise = np.uint64(1) << rng.integers(0, 64, (3, 100_000), np.uint64)
    led = leaders(np.concatenate([np.zeros(1, np.uint64), noise[0] | noise[1] | noise[2]]))
    assert led.tolist() == [0] * 100_001
