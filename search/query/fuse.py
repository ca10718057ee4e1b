"""Combine what a picture looks like with what is written about it, in units of the query's own background."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.query.calibrate import Background

_TEXT_WEIGHT = 6.0
"""Standard deviations of the picture score that a perfect text is worth, see docs/decisions/0005-fusion.md."""

_WORD_WEIGHT = 0.5
"""The same for a text that holds every word of the query: it finds names that no encoder knows."""

_LIKENESS = 0.6
"""How far between "like any text" (0) and "the same text" (1) a phrase must lie to explain a query."""

_LEAST_STD = 0.01
"""Where no picture stands out (a word the encoder cannot see), the text must still be able to decide."""

_WORD = re.compile(r"\w+")
_GAPPED = re.compile(r"[a-z0-9\u00c0-\u0dff]")
"""Any letter of a script that puts gaps between words (Latin to Malayalam in Unicode's order)."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """A caption or phrase that may answer the query.

    Attributes:
        cosine: of query and text, in [-1, 1].
        coverage: share of the query's words that it holds, in [0, 1].
    """

    text_id: int
    body: str
    cosine: float
    coverage: float

    @property
    def strength(self) -> float:
        """For comparing texts of one query with each other: of two that mean the same, the one in the query's words."""
        return self.cosine + self.coverage * 0.3

    def counts(self, background: Background) -> bool:
        """Whether it stands out of the library's texts enough to take part."""
        return self.cosine > background.text_high or self.coverage >= 1.0

    def explains(self, background: Background) -> bool:
        """Whether its boxes should be drawn: it says much the same as the query, or holds all its words."""
        needed = background.text_mean + _LIKENESS * (1.0 - background.text_mean)
        return self.coverage >= 1.0 or (self.cosine >= needed and self.counts(background))


def combine(cosine: float, text: TextMatch | None, background: Background | None) -> Mapping[str, float]:
    """The parts of a picture's score; their sum ranks it.

    A text can only add: a picture that nobody described is not pushed down by the silence about it.

    Args:
        cosine: of query and picture.
        text: the picture's best text, if it has one that counts.
        background: the units; None where texts took no part.

    Returns:
        `image`, and `text` where it is positive.
    """
    if text is None or background is None:
        return {"image": cosine}
    above = max(0.0, text.cosine - background.text_high)
    words = _WORD_WEIGHT if text.coverage >= 1.0 else 0.0
    bonus = max(background.image_std, _LEAST_STD) * (_TEXT_WEIGHT * above + words)
    return {"image": cosine, "text": bonus} if bonus > 0 else {"image": cosine}


def word_coverage(words: Sequence[str], body: str) -> float:
    """Share of the query's words that a text holds, compared in lower case; 0 for a query without words."""
    if not words:
        return 0.0
    lowered = body.lower()
    held = set(_WORD.findall(lowered))
    # Chinese, Japanese and Thai write words without gaps: there a word is held where its characters stand in a row.
    return sum(word in held or (not _GAPPED.search(word) and word in lowered) for word in words) / len(words)
