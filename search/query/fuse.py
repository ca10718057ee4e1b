"""Combine what a picture looks like with what is written about it: log-odds, so that a sum is a judgement.

A picture about which something is written is judged by look and text together; one about which nothing is written by
its look alone, with the weight that look has where it is all there is: silence does not sink a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """What evidence is worth, in nats of log-odds; docs/decisions/0005-fusion.md says how they were chosen.

    Attributes:
        look: of one standard deviation of the cosine with the picture, where something is written about it.
        words: of a text that holds every word of the query and no other.
        meaning: of one standard deviation of the cosine with the text, above the library's best tenth.
        look_alone: of one standard deviation of the cosine with the picture, where nothing is written.
        silence: what a picture gets for having no text: what texts give on average where they are right.
    """

    look: float = 0.75
    words: float = 9.5
    meaning: float = 0.6
    look_alone: float = 2.0
    silence: float = 0.6


DEFAULT = Weights()


@dataclass(frozen=True, slots=True)
class Judged:
    """Log-odds of pictures for some texts, taken apart.

    Attributes:
        look: `(n, u)`, what the picture itself gives.
        words: `(n, u)`, what the words of its best text give.
        meaning: `(n, u)`, what that text's meaning gives; of a picture without texts, the weight of silence.
    """

    look: Numbers
    words: Numbers
    meaning: Numbers

    @property
    def total(self) -> Numbers:
        """`(n, u)`, the sum."""
        total: Numbers = self.look + self.words + self.meaning
        return total


def judge(look: Numbers, words: Numbers, meaning: Numbers, silent: NDArray[np.bool_], weights: Weights) -> Judged:
    """Turn evidence into log-odds.

    Args:
        look: `(n, u)`, cosine of picture and text in standard deviations of the text's own background.
        words: `(n, u)` in [0, 1], of the picture's best text: BM25 of the words as a share of a perfect text's.
        meaning: `(n, u)`, of the same text: cosine in standard deviations above the library's best tenth; at least 0.
        silent: `(n,)`, pictures about which nothing is written.
        weights: what each is worth.
    """
    quiet = silent[:, None]
    return Judged(
        look=np.where(quiet, weights.look_alone, weights.look) * look,
        words=np.where(quiet & (words <= 0), 0, weights.words * words).astype(np.float32),
        meaning=np.where(quiet, np.float32(weights.silence), weights.meaning * meaning).astype(np.float32),
    )
