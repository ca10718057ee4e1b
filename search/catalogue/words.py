"""An inverted index over the words of documents: every document that holds a word, scored by BM25, none cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.words.terms import Term

K1 = 1.2
B = 0.3
"""BM25 (Robertson and Walker, 1994), with little weight on length: a long caption says no less than a short one."""


@dataclass(frozen=True, slots=True)
class WordMatch:
    """Documents that hold at least one of the words asked for.

    Attributes:
        doc_rows: `(m,)` int64, ascending.
        scores: `(m,)` float32 in [0, 1]: BM25 of the words, as a share of what they score as a document of their own.
        covered: `(m,)` float32 in [0, 1]: share of the words' weight (inverse document frequency) that it holds.
    """

    doc_rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    covered: NDArray[np.float32]


NOTHING = WordMatch(np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class WordIndex:
    """Which documents hold which key.

    Attributes:
        keys: `(v,)` uint64, ascending hashes of the keys.
        starts: `(v + 1,)` int64, where the documents of each key begin in `rows`.
        rows: `(p,)` int32, document rows, ascending within a key.
        counts: `(p,)` uint8, how often the document holds the key.
        lengths: `(d,)` uint16, words of each document.
    """

    keys: NDArray[np.uint64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.uint8]
    lengths: NDArray[np.uint16]

    def holding(self, key: str) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
        """Documents that hold a key, and how often."""
        wanted = np.uint64(hash_key(key))
        at = int(np.searchsorted(self.keys, wanted))
        if at == len(self.keys) or self.keys[at] != wanted:
            return self.rows[:0], self.counts[:0]
        part = slice(int(self.starts[at]), int(self.starts[at + 1]))
        return self.rows[part], self.counts[part]


def hash_key(key: str) -> int:
    """64 bits of a key: two of a million keys are taken for each other once in 30 million libraries."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def index_words(documents: Iterable[Sequence[Term]]) -> WordIndex:
    """Make an index; documents are numbered in their order."""
    ids: dict[str, int] = {}
    key_of: list[int] = []
    row_of: list[int] = []
    lengths: list[int] = []
    for row, terms in enumerate(documents):
        lengths.append(min(len(terms), 0xFFFF))
        for term in terms:
            for key in term.keys:
                key_of.append(ids.setdefault(key, len(ids)))
                row_of.append(row)
    hashes = np.fromiter((hash_key(key) for key in ids), np.uint64, len(ids))
    order = np.argsort(hashes, kind="stable")
    rank = np.empty(len(ids), np.int64)
    rank[order] = np.arange(len(ids))
    at = rank[np.array(key_of, np.int64)] if key_of else np.empty(0, np.int64)
    return _packed(hashes[order], at, np.array(row_of, np.int64), np.array(lengths, np.uint16))


def _packed(
    keys: NDArray[np.uint64], at: NDArray[np.int64], rows: NDArray[np.int64], lengths: NDArray[np.uint16]
) -> WordIndex:
    """Fold repeats of one key in one document."""
    documents = max(len(lengths), 1)
    pairs, counts = np.unique(at * documents + rows, return_counts=True)
    starts = np.searchsorted(pairs, np.arange(len(keys) + 1) * documents)
    folded = (pairs % documents).astype(np.int32)
    return WordIndex(keys, starts.astype(np.int64), folded, np.minimum(counts, 255).astype(np.uint8), lengths)
