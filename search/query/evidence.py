"""What speaks for each candidate: its cosine with the texts of the query, and the best single text about it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from search.ascending import firsts, is_member
from search.catalogue.catalogue import LINE, TEXT, Catalogue, Held
from search.query.calibrate import Background, measure_backgrounds
from search.query.fuse import Judged, Weights, judge
from search.snapshot import Snapshot
from search.words.terms import Term, terms

TEXTS_BY_MEANING = 100
"""Texts whose meaning counts for one query: those that come nearest; the last of them is the floor."""

WHOLE = 0.3
"""What a text that holds every word is worth beyond its BM25, as a share of a perfect text's: it finds names that no
encoder knows, however long the text is."""

ALL_HELD = 0.999
"""A share from which on every word is held."""


@dataclass(frozen=True, slots=True)
class AskedText:
    """One text of a query, and what the library's texts say to it.

    Attributes:
        text: what is embedded.
        words: its content words.
        background: the units of its cosines.
        worded: document rows that hold some of its words, ascending.
        word_scores: of those, in [0, 1.3]: BM25 as a share of a perfect text's, and `WHOLE` where every word is held.
        covered: of those, share of the text's words that each holds, in [0, 1].
        meant: document rows that mean much the same, ascending.
        meanings: of those, standard deviations above the floor, above 0.
        blind: the encoder can read none of its words: nothing looks like it, only a text can hold it.
        doubtful: it cannot read some of them: what it looks like is no reason to call a picture likely.
        unread: document rows that hold all words that it cannot read, ascending.
    """

    text: str
    words: tuple[Term, ...]
    background: Background
    worded: NDArray[np.int64]
    word_scores: NDArray[np.float32]
    covered: NDArray[np.float32]
    meant: NDArray[np.int64]
    meanings: NDArray[np.float32]
    blind: bool = False
    doubtful: bool = False
    unread: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for some pictures.

    Attributes:
        rows: `(n,)` int64, rows of the catalogue's pictures.
        cosines: `(n, u)` float32, of picture and text.
        judged: the log-odds.
        documents: `(n, u)` int64, the best document for each text; -1 where none says anything.
        silent: `(n,)` bool, pictures about which nothing is written.
        trusted: `(n, u)` bool, whether it can make a picture likely: False where the encoder cannot read a word and the
            best document does not hold all words; of a line of text, all that the encoder cannot read.
        lines: `(n, u)` bool, whether the best document is a line of text on the picture.
    """

    rows: NDArray[np.int64]
    cosines: NDArray[np.float32]
    judged: Judged
    documents: NDArray[np.int64]
    silent: NDArray[np.bool_]
    trusted: NDArray[np.bool_]
    lines: NDArray[np.bool_]


def ask_texts(
    snapshot: Snapshot,
    texts: Sequence[str],
    vectors: NDArray[np.float32],
    language: str | None = None,
    unread: frozenset[str] = frozenset(),
    denied: Collection[int] = (),
) -> tuple[AskedText, ...]:
    """Measure the background of each text and look its words and its meaning up.

    Args:
        texts: of the query.
        vectors: `(len(texts), dim)` float32, L2-normalised.
        language: of the query, where it is known.
        unread: words that the encoder cannot read, folded.
        denied: numbers of the texts that must not be there: a word on a sign does not say that they are.
    """
    backgrounds = measure_backgrounds(vectors, snapshot.image_sample, snapshot.text_sample)
    count = min(snapshot.texts.size, TEXTS_BY_MEANING)
    if count and len(texts):
        scores, ids = snapshot.texts.search(vectors, count)
    else:
        scores, ids = np.empty((len(texts), 0), np.float32), np.empty((len(texts), 0), np.int64)
    asked: list[AskedText] = []
    held: dict[tuple[str, ...], Held] = {}
    for number, text in enumerate(texts):
        words = tuple(terms(text, None if language is None else (language,)))
        match = snapshot.catalogue.match(words, held)
        strange = [term.word in unread for term in words]
        blind = bool(strange) and all(strange)
        near = (scores[number][:0], ids[number][:0]) if blind else (scores[number], ids[number])
        rows, meanings = _meant(snapshot.catalogue, *near, backgrounds[number], count)
        scored = match.scores + np.where(match.covered >= ALL_HELD, np.float32(WHOLE), 0)
        worded = (match.doc_rows, scored.astype(np.float32), match.covered)
        one = AskedText(text, words, backgrounds[number], *worded, rows, meanings, blind, any(strange))
        if any(strange) and not blind:
            unseen = snapshot.catalogue.match([word for word, is_so in zip(words, strange, strict=True) if is_so], held)
            one = replace(one, unread=unseen.doc_rows[unseen.covered >= ALL_HELD])
        asked.append(_without_lines(snapshot.catalogue, one) if number in denied else one)
    return tuple(asked)


def _without_lines(catalogue: Catalogue, asked: AskedText) -> AskedText:
    """The same as far as it was said of pictures, and not read in them."""
    worded, meant = (catalogue.doc_kind[rows] != LINE for rows in (asked.worded, asked.meant))
    return replace(
        asked,
        worded=asked.worded[worded],
        word_scores=asked.word_scores[worded],
        covered=asked.covered[worded],
        meant=asked.meant[meant],
        meanings=asked.meanings[meant],
    )


def _meant(
    catalogue: Catalogue, scores: NDArray[np.float32], ids: NDArray[np.int64], background: Background, count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    # A text that was said as well as read is two documents of one vector.
    rows = np.concatenate([catalogue.doc_rows(ids), catalogue.line_rows(ids)]) if len(ids) else np.empty(0, np.int64)
    floor = background.text_high
    if count == TEXTS_BY_MEANING and len(scores):
        floor = max(floor, float(scores[-1]))  # of what lies below the last, nothing is known
    above = np.tile((scores - floor) / max(background.text_std, 1e-3), 2 if len(ids) else 1)
    kept = (rows >= 0) & (above > 0)
    kept[kept] = catalogue.uses(rows[kept]) > 0  # told of a picture
    order = np.argsort(rows[kept], kind="stable")
    return rows[kept][order], above[kept][order].astype(np.float32)


def look_at(
    snapshot: Snapshot,
    rows: NDArray[np.int64],
    asked: Sequence[AskedText],
    vectors: NDArray[np.float32],
    weights: Weights,
) -> Evidence:
    """Gather the evidence about some pictures.

    Args:
        rows: `(n,)` int64, rows of the catalogue's pictures.
        asked: the texts, from `ask_texts`.
        vectors: `(len(asked), dim)` float32, L2-normalised.
    """
    catalogue = snapshot.catalogue
    # What has no vector (a damaged segment) looks like nothing in particular.
    cosines = np.clip(snapshot.images.cosines(catalogue.image_vectors[rows], vectors), -1, 1)
    means = np.array([one.background.image_mean for one in asked], np.float32)
    spreads = np.array([one.background.image_spread for one in asked], np.float32)
    look = np.nan_to_num((cosines - means) / spreads).astype(np.float32)
    look[:, [number for number, one in enumerate(asked) if one.blind]] = 0
    at, documents = catalogue.docs_of(rows)
    silent = np.ones(len(rows), bool)
    silent[at[catalogue.doc_kind[documents] == TEXT]] = False
    words, meaning, best = _best_documents(catalogue, len(rows), at, documents, asked, weights)
    lines = catalogue.is_line(best)
    judged = judge(look, words, meaning, silent, weights)
    return Evidence(rows, cosines, judged, best, silent, _trusted(best, lines, asked), lines)


def _trusted(best: NDArray[np.int64], lines: NDArray[np.bool_], asked: Sequence[AskedText]) -> NDArray[np.bool_]:
    trusted = np.ones(best.shape, bool)
    for number, one in enumerate(asked):
        if one.doubtful:
            document = best[:, number]
            whole = found_in(document, one.worded, one.covered) >= ALL_HELD
            # What is written on a poster does not say that it is a poster; that is seen.
            read = lines[:, number] & is_member(document, one.unread)
            trusted[:, number] = whole | read
    return trusted


def no_evidence(rows: NDArray[np.int64]) -> Evidence:
    """Pictures that were found by look alone, about which nothing was asked."""
    none = np.empty((len(rows), 0), np.float32)
    return Evidence(
        rows,
        none,
        Judged(none, none, none),
        none.astype(np.int64),
        np.zeros(len(rows), bool),
        none.astype(bool),
        none.astype(bool),
    )


def _best_documents(
    catalogue: Catalogue,
    count: int,
    at: NDArray[np.int64],
    documents: NDArray[np.int64],
    asked: Sequence[AskedText],
    weights: Weights,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Of each picture and text the one document that says most; never several added up."""
    shape = (count, len(asked))
    words, meaning = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    best = np.full(shape, -1, np.int64)
    if len(documents) == 0:
        return words, meaning, best
    starts = firsts(at)
    lengths = np.diff(np.append(starts, len(at)))
    values = np.zeros(len(catalogue.doc_kind), np.float32)
    for number, one in enumerate(asked):
        by_words = _values_of(documents, one.worded, one.word_scores, values)
        by_meaning = _values_of(documents, one.meant, one.meanings, values)
        said = weights.words * by_words + weights.meaning * by_meaning
        most = np.maximum.reduceat(said, starts)
        # The first of equals: documents of a picture stand in ascending order.
        matches = np.flatnonzero((said == np.repeat(most, lengths)) & (said > 0))
        chosen = matches[firsts(at[matches])]
        owners = at[chosen]
        words[owners, number], meaning[owners, number] = by_words[chosen], by_meaning[chosen]
        best[owners, number] = documents[chosen]
    return words, meaning, best


def _values_of(
    wanted: NDArray[np.int64], keys: NDArray[np.int64], given: NDArray[np.float32], values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Like `found_in`, for many: by a table `values` of all keys, which is zero before and after."""
    values[keys] = given
    found = values[wanted]
    values[keys] = 0
    return found


def found_in(
    wanted: NDArray[np.int64], ascending: NDArray[np.int64], values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The value of each wanted key, 0 where it has none."""
    if len(ascending) == 0:
        return np.zeros(len(wanted), np.float32)
    place = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.where(ascending[place] == wanted, values[place], 0).astype(np.float32)
