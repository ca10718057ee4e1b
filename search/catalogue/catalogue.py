"""What belongs to what: pictures, the texts about them, their names, their vectors, and the words of all of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.ascending import distinct
from search.catalogue.words import K1, NOTHING, B, WordIndex, WordMatch
from search.words.terms import Term

TEXT, NAME, FOLDER, LINE = 0, 1, 2, 3
"""Kinds of document: a row of `texts` that people or captioners said, the name of a file, the folders above a file, a
row of `texts` that was read in pictures. A text that was both said and read is two documents."""

_COUNTED_EXACTLY = 20_000
"""Documents up to which the pictures behind them are counted; of a commoner word, uses are added up."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Which rows of one side belong to each row of the other: those of row `i` are `rows[starts[i]:starts[i + 1]]`."""

    starts: NDArray[np.int64]
    rows: NDArray[np.int32]

    def of(self, wanted: Rows) -> tuple[Rows, Rows]:
        """The linked rows, flattened: `(position in wanted, row)`, ascending within each position."""
        sizes = self.starts[wanted + 1] - self.starts[wanted]
        at = np.repeat(np.arange(len(wanted)), sizes)
        first = np.repeat(self.starts[wanted] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        return at, self.rows[first + np.arange(len(at))].astype(np.int64)

    def without(self, from_rows: Rows, to_rows: Rows) -> Links:
        """The same but for these pairs; pairs that it does not hold change nothing."""
        each = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        span = int(max(self.rows.max(initial=0), to_rows.max(initial=0))) + 1
        kept = ~np.isin(each * span + self.rows, from_rows * span + to_rows)
        starts = np.concatenate([[0], np.cumsum(kept)])[self.starts]
        return Links(starts.astype(np.int64), self.rows[kept])


def link(count: int, from_rows: Rows, to_rows: Rows) -> Links:
    """Links from `count` rows; pairs in any order, repeats once."""
    span = int(to_rows.max(initial=0)) + 1
    pairs = distinct(from_rows * span + to_rows)
    starts = np.searchsorted(pairs, np.arange(count + 1) * span)
    return Links(starts.astype(np.int64), (pairs % span).astype(np.int32))


@dataclass(frozen=True, slots=True)
class Held:
    """Documents that hold a word: ascending rows, what it gives each by BM25, and its own weight."""

    rows: Rows
    scores: NDArray[np.float32]
    weight: float


@dataclass(frozen=True, eq=False)
class Catalogue:
    """A library in memory: rows of pictures and of documents. Owner: `search.catalogue`.

    Attributes:
        images: `(n,)` int64, ids of the pictures, ascending.
        image_vectors: `(n,)` int64, the embedding id of each, 0 where it has none.
        doc_kind: `(d,)` uint8: first `TEXT`, then `LINE`, each by their ids, then `NAME` and `FOLDER`.
        doc_id: `(d,)` int64, of a text or a line the id of its text; of a name an own number.
        doc_vectors: `(d,)` int64, the embedding id of that text, 0 where it has none.
        documents: of each picture.
        pictures: of each document.
        words: of the documents.
    """

    images: NDArray[np.int64]
    image_vectors: NDArray[np.int64]
    doc_kind: NDArray[np.uint8]
    doc_id: NDArray[np.int64]
    doc_vectors: NDArray[np.int64]
    documents: Links
    pictures: Links
    words: WordIndex

    def rows_of_images(self, image_ids: NDArray[np.int64]) -> Rows:
        """Rows of pictures, -1 where unknown."""
        return _places(self.images, image_ids)

    def rows_of_texts(self, text_ids: NDArray[np.int64]) -> Rows:
        """Rows of the documents of texts, -1 where unknown."""
        return _places(self.doc_id[: self._texts], text_ids)

    def is_line(self, doc_rows: Rows) -> NDArray[np.bool_]:
        """Which documents are lines of text that were read in pictures; -1 is none."""
        if len(self.doc_kind) == 0:
            return np.zeros(doc_rows.shape, np.bool_)
        found: NDArray[np.bool_] = (doc_rows >= 0) & (self.doc_kind[doc_rows] == LINE)
        return found

    def rows_of_lines(self, text_ids: NDArray[np.int64]) -> Rows:
        """Rows of the documents of lines, -1 where unknown."""
        at = _places(self.doc_id[self._texts : self._texts + self._lines], text_ids)
        return np.where(at >= 0, at + self._texts, -1)

    def image_rows(self, embedding_ids: NDArray[np.int64]) -> Rows:
        """Rows of the pictures that vectors belong to, -1 where unknown."""
        return self._image_owners.of(embedding_ids)

    def doc_rows(self, embedding_ids: NDArray[np.int64]) -> Rows:
        """Rows of the texts that vectors belong to, -1 where unknown."""
        return self._text_owners.of(embedding_ids)

    def line_rows(self, embedding_ids: NDArray[np.int64]) -> Rows:
        """Rows of the lines of text that vectors belong to, -1 where unknown."""
        return self._line_owners.of(embedding_ids)

    def docs_of(self, image_rows: Rows) -> tuple[Rows, Rows]:
        """Documents of pictures: `(position in image_rows, document row)`."""
        return self.documents.of(image_rows)

    def images_of(self, doc_rows: Rows) -> tuple[Rows, Rows]:
        """Pictures of documents: `(position in doc_rows, picture row)`."""
        return self.pictures.of(doc_rows)

    def unlinked(self, image_rows: Rows, doc_rows: Rows) -> Catalogue:
        """The same catalogue, in which these documents say nothing of these pictures: one pair at each place."""
        return replace(
            self,
            documents=self.documents.without(image_rows, doc_rows),
            pictures=self.pictures.without(doc_rows, image_rows),
        )

    def uses(self, doc_rows: Rows) -> Rows:
        """How many pictures each document is about."""
        found: Rows = self.pictures.starts[doc_rows + 1] - self.pictures.starts[doc_rows]
        return found

    def match(self, terms: Sequence[Term], known: dict[tuple[str, ...], Held] | None = None) -> WordMatch:
        """Every document that holds at least one of the words, ascending, with its score.

        Args:
            known: what words were found to be held by, for other texts of the same query; added to.
        """
        known = {} if known is None else known
        asked: dict[str, tuple[Term, int]] = {}
        for term in terms:
            asked[term.word] = (term, asked.get(term.word, (term, 0))[1] + 1)
        if not asked or not len(self.doc_kind):
            return NOTHING
        scores, held = np.zeros(len(self.doc_kind), np.float32), np.zeros(len(self.doc_kind), np.float32)
        best = whole = 0.0
        own = K1 * (1 - B + B * len(terms) / self._typical_length)
        for term, count in asked.values():
            if term.keys not in known:
                known[term.keys] = self._held(term)
            one = known[term.keys]
            scores[one.rows] += one.scores
            held[one.rows] += np.float32(one.weight)
            best += one.weight * count * (K1 + 1) / (count + own)
            whole += one.weight
        found = one.rows if len(asked) == 1 else np.flatnonzero(held)
        found = found[self.uses(found) > 0]  # what is told of no picture any more answers nothing
        return WordMatch(found, np.minimum(scores[found] / best, 1), np.minimum(held[found] / whole, 1))

    def _held(self, term: Term) -> Held:
        rows, counts = self._holding(term)
        weight = self._weight(rows)
        length = 1 - B + B * self.words.lengths[rows] / self._typical_length
        scores = (weight * counts * (K1 + 1) / (counts + K1 * length)).astype(np.float32)
        return Held(rows, scores, weight)

    def _holding(self, term: Term) -> tuple[Rows, NDArray[np.float32]]:
        """Documents that hold any key of a word, and how often the commonest of them."""
        held = [self.words.holding(key) for key in term.keys]
        held = [entry for entry in held if len(entry[0])]
        if len(held) == 1:
            return held[0][0].astype(np.int64), held[0][1].astype(np.float32)
        counts = np.zeros(len(self.doc_kind), np.uint8)
        for rows, often in held:
            counts[rows] = np.maximum(counts[rows], often)
        found = np.flatnonzero(counts)
        return found, counts[found].astype(np.float32)

    def _weight(self, rows: Rows) -> float:
        """Inverse document frequency, by pictures: a word in all five captions of one picture is as rare as in one."""
        among = max(len(self.images), 1)
        if len(rows) <= _COUNTED_EXACTLY:
            shown = np.zeros(len(self.images), np.bool_)
            shown[self.images_of(rows)[1]] = True
            frequency = int(np.count_nonzero(shown))
        else:
            frequency = min(int(self.uses(rows).sum()), among)
        return float(np.log1p((among - frequency + 0.5) / (frequency + 0.5)))

    def prepare(self) -> None:
        """Do now what the first query would do: sort the vectors' ids."""
        _ = self._image_owners, self._text_owners, self._line_owners, self._typical_length, self.has_silence

    @cached_property
    def has_silence(self) -> bool:
        """Whether there is a picture about which nothing is written."""
        described = np.zeros(len(self.images), bool)
        described[self.pictures.of(np.arange(self._texts))[1]] = True
        return not bool(described.all())

    @property
    def has_lines(self) -> bool:
        """Whether text was read in any picture."""
        return self._lines > 0

    @cached_property
    def _texts(self) -> int:
        return int(np.count_nonzero(self.doc_kind == TEXT))

    @cached_property
    def _lines(self) -> int:
        return int(np.count_nonzero(self.doc_kind == LINE))

    @cached_property
    def _typical_length(self) -> float:
        is_used = np.diff(self.pictures.starts) > 0
        # Lines stand in only where nothing was said: reading must not change what a caption is worth.
        for part in (slice(0, self._texts), slice(self._texts, self._texts + self._lines)):
            used = self.words.lengths[part][is_used[part]]
            if len(used):
                return max(float(used.mean()), 1.0)
        return 1.0

    @cached_property
    def _image_owners(self) -> _Owners:
        return _owners(self.image_vectors)

    @cached_property
    def _text_owners(self) -> _Owners:
        return _owners(self.doc_vectors[: self._texts])

    @cached_property
    def _line_owners(self) -> _Owners:
        owners = _owners(self.doc_vectors[self._texts : self._texts + self._lines])
        return _Owners(owners.ids, owners.rows + self._texts)


def _places(ascending: NDArray[np.int64], wanted: NDArray[np.int64]) -> Rows:
    if len(ascending) == 0:
        return np.full(len(wanted), -1, np.int64)
    at = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.where(ascending[at] == wanted, at, -1)


@dataclass(frozen=True, slots=True)
class _Owners:
    """Rows by embedding id; 0 belongs to none."""

    ids: NDArray[np.int64]
    rows: Rows

    def of(self, embedding_ids: NDArray[np.int64]) -> Rows:
        at = _places(self.ids, embedding_ids)
        return np.where((at >= 0) & (embedding_ids > 0), self.rows[np.maximum(at, 0)] if len(self.rows) else -1, -1)


def _owners(vectors: NDArray[np.int64]) -> _Owners:
    order = np.argsort(vectors, kind="stable")
    return _Owners(vectors[order], order)
