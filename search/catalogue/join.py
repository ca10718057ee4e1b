"""Put what came since into a catalogue: rows move up and new ones go between them, and nothing is sorted again.

Every array of the older catalogue is copied once, at the speed of memory; what has to be searched for its place is as
little as what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.ascending import is_member
from search.catalogue.catalogue import LINE, TEXT, Catalogue, Links, Rows
from search.catalogue.words import WordIndex


@dataclass(frozen=True, slots=True)
class _Moves:
    """Where the rows of two catalogues go in the one of both; each ascending.

    Attributes:
        total: rows of the one of both.
    """

    old: Rows
    new: Rows
    total: int


def joined(before: Catalogue, new: Catalogue) -> Catalogue:
    """One catalogue of both; a picture or a text that both know keeps its newer vector."""
    images, image_moves = _of_ids(before.images, new.images)
    kinds = [_of_ids(_ids(before, kind), _ids(new, kind)) for kind in (TEXT, LINE)]
    told = np.concatenate([ids for ids, _ in kinds])
    old_names, new_names = (len(one.doc_kind) - _said(one) for one in (before, new))
    docs = _one_behind_the_other(
        [
            *(moves for _, moves in kinds),
            _Moves(np.arange(old_names), old_names + np.arange(new_names), old_names + new_names),
        ]
    )
    return Catalogue(
        images=images,
        image_vectors=_scattered(image_moves, before.image_vectors, new.image_vectors),
        doc_kind=_scattered(docs, before.doc_kind, new.doc_kind),
        doc_id=np.concatenate([told, np.arange(old_names + new_names)]),
        doc_vectors=_scattered(docs, before.doc_vectors, new.doc_vectors),
        documents=_links(before.documents, new.documents, image_moves, docs),
        pictures=_links(before.pictures, new.pictures, docs, image_moves),
        words=_words(before.words, new.words, docs),
    )


def _ids(catalogue: Catalogue, kind: int) -> NDArray[np.int64]:
    """Ids of the texts or of the lines of a catalogue, ascending."""
    found: NDArray[np.int64] = catalogue.doc_id[catalogue.doc_kind == kind]
    return found


def _said(catalogue: Catalogue) -> int:
    """How many texts and lines a catalogue has; the names stand behind them."""
    return int(np.count_nonzero((catalogue.doc_kind == TEXT) | (catalogue.doc_kind == LINE)))


def _one_behind_the_other(parts: Sequence[_Moves]) -> _Moves:
    """Where rows go of which each kind goes behind the one before it."""
    starts = np.concatenate([[0], np.cumsum([part.total for part in parts])])
    old, new = (
        np.concatenate([start + getattr(part, side) for start, part in zip(starts, parts, strict=False)])
        for side in ("old", "new")
    )
    return _Moves(old, new, int(starts[-1]))


def _of_ids(old: NDArray[Any], new: NDArray[Any]) -> tuple[NDArray[Any], _Moves]:
    fresh = new[~is_member(new, old)]
    at = np.searchsorted(old, fresh)
    ids = np.insert(old, at, fresh)
    return ids, _Moves(_moved_up(len(old), at), np.searchsorted(ids, new), len(ids))


def _moved_up(count: int, inserted: Rows) -> Rows:
    """Where each of `count` rows goes when others are put before the rows `inserted`."""
    before = np.bincount(inserted, minlength=count + 1)[:count]
    return np.arange(count) + np.cumsum(before)


def _scattered(moves: _Moves, old: NDArray[Any], new: NDArray[Any]) -> NDArray[Any]:
    """Values at their rows; of two, the larger, for a newer vector has a higher id and none is 0."""
    found = np.zeros(moves.total, old.dtype)
    found[moves.old] = old
    found[moves.new] = np.maximum(found[moves.new], new)
    return found


@dataclass(frozen=True, slots=True)
class _Sides:
    """Pairs of a row on one side and a row on the other, of two catalogues: how they lie in the one of both.

    Attributes:
        starts: where the pairs of each row of the one side begin.
        rows: the rows of the other side, ascending within each.
        at: of the new pairs, before which of the old ones each goes, or is.
        known: of the new pairs, which are among the old ones.
    """

    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    at: Rows
    known: NDArray[np.bool_]


def _merged(
    old: tuple[NDArray[np.int64], NDArray[np.int32]],
    new: tuple[NDArray[np.int64], NDArray[np.int32]],
    one: _Moves,
    other: _Moves,
) -> _Sides:
    old_rows = other.old.astype(np.int32)[old[1]]
    keys = np.repeat(one.new, np.diff(new[0]))
    values = other.new[new[1]]
    sizes = np.zeros(one.total, np.int64)
    sizes[one.old] = np.diff(old[0])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    at = _places(old_rows, starts[keys], starts[keys + 1], values)
    inside = np.minimum(at, max(len(old_rows) - 1, 0))
    known = (at < starts[keys + 1]) & (old_rows[inside] == values) if len(old_rows) else np.zeros(len(at), bool)
    np.add.at(sizes, keys[~known], 1)
    rows = np.insert(old_rows, at[~known], values[~known].astype(np.int32))
    return _Sides(np.concatenate([[0], np.cumsum(sizes)]), rows, at, known)


def _places(rows: NDArray[np.int32], first: Rows, end: Rows, wanted: Rows) -> Rows:
    """Of each wanted row, the first place between `first` and `end` whose row is not smaller, or `end`."""
    low, high = first.copy(), end.copy()
    while True:
        open_ = low < high
        if not open_.any():
            return low
        middle = (low + high) // 2
        smaller = open_ & (rows[np.minimum(middle, len(rows) - 1)] < wanted)
        low = np.where(smaller, middle + 1, low)
        high = np.where(open_ & ~smaller, middle, high)


def _links(old: Links, new: Links, one: _Moves, other: _Moves) -> Links:
    found = _merged((old.starts, old.rows), (new.starts, new.rows), one, other)
    return Links(found.starts, found.rows)


def _words(old: WordIndex, new: WordIndex, docs: _Moves) -> WordIndex:
    keys, moves = _of_ids(old.keys, new.keys)
    found = _merged((old.starts, old.rows), (new.starts, new.rows), moves, docs)
    counts = old.counts.copy()
    twice = found.at[found.known]
    counts[twice] = np.maximum(counts[twice], new.counts[found.known])
    counts = np.insert(counts, found.at[~found.known], new.counts[~found.known])
    return WordIndex(keys, found.starts, found.rows, counts, _scattered(docs, old.lengths, new.lengths))
