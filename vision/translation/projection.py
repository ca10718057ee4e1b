"""Where a phrase of a sentence stands in its translation, judged from a word alignment or from its words alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from vision.translation.base import Alignment
from vision.translation.sentences import words_of
from vision.types import Span

# Of the letters of two words, so that an ending may differ: "ein" and "einen" have 0.75 in common.
_ALIKE = 0.6


def project(alignment: Alignment, translation: str, spans: Sequence[Span]) -> list[Span | None]:
    """Find where spans of a sentence stand in its translation.

    Each word of the translation speaks for a span by its strongest link into it, less its strongest link to any other
    token: attention is spread over many tokens, and a share of the whole would say more about a span's length. A
    span becomes the run of words whose sum is largest: an article or adjective that aligns badly is kept inside, a lone
    word elsewhere in the sentence is not.

    Args:
        alignment: of sentence and translation.
        translation: the text.
        spans: places in the sentence.

    Returns:
        For each span a place that begins and ends with a word; None where no word comes from it.
    """
    words = words_of(translation)
    rows = _rows_of_words(alignment, words)
    found: list[Span | None] = []
    for span in spans:
        inside = np.array([token.start < span.end and span.start < token.end for token in alignment.source], dtype=bool)
        run = _best_run(_strongest(rows, inside) - _strongest(rows, ~inside))
        found.append(None if run is None else Span(words[run[0]].start, words[run[1]].end))
    return found


def find_phrase(translation: str, phrase: str) -> Span | None:
    """Find a phrase that was translated alone: the same words, or the most alike but for endings; else None."""
    same = re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", translation, re.IGNORECASE) if phrase else None
    if same:
        return Span(same.start(), same.end())
    words = words_of(translation)
    wanted = [phrase[word.start : word.end].lower() for word in words_of(phrase)]
    best, found = 0.0, None
    for first in range(len(words) - len(wanted) + 1):
        run = words[first : first + len(wanted)]
        alike = [
            _likeness(translation[word.start : word.end].lower(), want) for word, want in zip(run, wanted, strict=True)
        ]
        if alike and min(alike) > _ALIKE and sum(alike) > best:
            best, found = sum(alike), Span(run[0].start, run[-1].end)
    return found


def _rows_of_words(alignment: Alignment, words: Sequence[Span]) -> NDArray[np.float32]:
    """`(words, tokens of the sentence)` float32: the mean of each word's tokens; 0 where a word has none."""
    rows = np.zeros((len(words), len(alignment.source)), dtype=np.float32)
    for number, word in enumerate(words):
        own = [place for place, span in enumerate(alignment.target) if span.start < word.end and word.start < span.end]
        if own:
            rows[number] = alignment.weights[own].mean(axis=0)
    return rows


def _strongest(rows: NDArray[np.float32], columns: NDArray[np.bool_]) -> NDArray[np.float32]:
    """For each row its largest weight among these columns; 0 where there is none."""
    strongest: NDArray[np.float32] = rows[:, columns].max(axis=1, initial=0.0)
    return strongest


def _likeness(word: str, other: str) -> float:
    """Part of the letters of two words that they have in common, in their order."""
    return SequenceMatcher(None, word, other).ratio()


def _best_run(scores: NDArray[np.float32]) -> tuple[int, int] | None:
    """First and last place of the run with the largest sum (Kadane's algorithm); None where no score is above 0."""
    best, sum_here, first, run = 0.0, 0.0, 0, None
    for place, score in enumerate(scores.tolist()):
        if sum_here <= 0:
            sum_here, first = 0.0, place
        sum_here += score
        # Of equal runs the first, and as long as it can be without ending with a word from elsewhere.
        if sum_here > best or (run is not None and run[0] == first and score > 0 and sum_here == best):
            best, run = sum_here, (first, place)
    return run
