"""Which pictures are nearly the same, by the hashes of what they look like: searches and `duplicates` judge alike."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

NEAR_BITS = 6
"""Bits of 64 in which the hashes of near-identical pictures may differ; what was measured: docs/decisions/0026."""

_BANDS, _BAND_BITS = 4, 16
"""Hashes that differ in fewer than eight bits differ in at most one bit of at least one of four bands."""

_ONE_BIT = np.concatenate(([0], 1 << np.arange(_BAND_BITS)))

_AT_ONCE = 4_096
"""Hashes whose neighbours are looked for together."""

_COMPARED = 1 << 21
"""Pairs that are compared together, unless a single hash has more: about 100 MB."""

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]


def unsigned(stored: int) -> np.uint64:
    """A stored hash, which is signed, as the bits that it is."""
    return np.uint64(stored & 0xFFFF_FFFF_FFFF_FFFF)


def is_near(hashes: Hashes, one: Hashes | np.uint64) -> NDArray[np.bool_]:
    """`(n,)` bool: which of `(n,)` hashes are near to `one`, or each to its own of `(n,)`."""
    found: NDArray[np.bool_] = np.bitwise_count(hashes ^ one) <= NEAR_BITS
    return found


def leaders(hashes: Hashes) -> Rows:
    """For each picture the first one that it is near to and that leads itself; those that are near to none lead.

    Everything in a group is near to its leader, so that no chain of small changes ends in another picture. Candidates
    come from a table per band of bits, after Norouzi et al., "Fast search in Hamming space with multi-index hashing"
    (2012), which misses none; equal hashes are looked at once.

    Args:
        hashes: `(n,)` uint64, in the order in which pictures may lead; none of them `PLAIN`.

    Returns:
        `(n,)` int64 places in `hashes`; a leader has its own.
    """
    _, firsts, which = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    found = _first_leaders(hashes[firsts[order]])
    led = np.empty(len(order), np.int64)
    led[order] = firsts[order][found]
    return led[which]


def _first_leaders(hashes: Hashes) -> Rows:
    """The same for hashes that are all different."""
    led = np.full(len(hashes), -1, np.int64)
    tables = [_Band(hashes, band) for band in range(_BANDS)]
    at = 0
    while at < len(hashes):
        rows = at + np.flatnonzero(led[at : at + _AT_ONCE] < 0)
        at += _AT_ONCE
        cost = np.cumsum(sum(table.count(rows) for table in tables))
        affordable = max(1, int(np.searchsorted(cost, _COMPARED, "right")))
        if affordable < len(rows):
            at = int(rows[affordable])
            rows = rows[:affordable]
        _lead(led, rows, _later_near(hashes, tables, rows))
    return led


def _lead(led: Rows, rows: Rows, pairs: tuple[Rows, Rows]) -> None:
    """Let those of `rows`, which ascend, lead that nobody has taken, and take whom they are near to."""
    by = np.argsort(pairs[0], kind="stable")
    ones, others = pairs[0][by], pairs[1][by]
    starts = np.searchsorted(ones, rows)
    ends = np.searchsorted(ones, rows, "right")
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        if led[row] < 0:
            led[row] = row
            if start < end:
                near = others[start:end]
                led[near[led[near] < 0]] = row


def _later_near(hashes: Hashes, tables: list[_Band], rows: Rows) -> tuple[Rows, Rows]:
    """Pairs `(one of rows, a later row)` that are near; some come more than once."""
    ones, others = [], []
    for table in tables:
        for one, other in table.candidates(rows):
            later = other > one
            before, after = one[later], other[later]
            near = is_near(hashes[before], hashes[after])
            ones.append(before[near])
            others.append(after[near])
    none = np.empty(0, np.int64)
    return np.concatenate([none, *ones]), np.concatenate([none, *others])


class _Band:
    """The rows of `(n,)` hashes by the value of one band of their bits."""

    def __init__(self, hashes: Hashes, band: int) -> None:
        shift = np.uint64(_BAND_BITS * band)
        self._values = ((hashes >> shift) & np.uint64((1 << _BAND_BITS) - 1)).astype(np.int64)
        self._rows = np.argsort(self._values, kind="stable")
        self._starts = np.searchsorted(self._values[self._rows], np.arange((1 << _BAND_BITS) + 1))

    def count(self, rows: Rows) -> Rows:
        """`(n,)`: how many candidates each of `(n,)` rows has."""
        first, end = self._ranges(rows)
        total: Rows = (end - first).sum(axis=1)
        return total

    def candidates(self, rows: Rows) -> Iterator[tuple[Rows, Rows]]:
        """Pairs of one of the rows and any row whose band differs from its own in one bit or none."""
        first, end = self._ranges(rows)
        for column in range(first.shape[1]):
            counts = end[:, column] - first[:, column]
            # Where each run of candidates begins, less where it stands among all of them.
            begins = np.repeat(first[:, column] - (np.cumsum(counts) - counts), counts)
            yield np.repeat(rows, counts), self._rows[begins + np.arange(len(begins))]

    def _ranges(self, rows: Rows) -> tuple[Rows, Rows]:
        probes = self._values[rows][:, None] ^ _ONE_BIT
        return self._starts[probes], self._starts[probes + 1]
