"""What a picture that was not looked at is worth at most: by one vector for all texts of a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.query.asked import Ask
from search.query.evidence import AskedText
from search.query.fuse import Weights
from search.query.rank import AVERAGE, WEAKEST, WRITTEN_WHOLE

_NEARLY = 2.0
"""Nats by which texts may say more of a thing than of the one they say least of, so that looks decide the weakest."""


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """The looks of a sentence's texts as `rank` adds them up at most, which is an inner product with the picture.

    `rank` takes the weakest of several things and their average; the weakest is no more than any average of some.

    Attributes:
        vector: `(dim,)` float32, L2-normalised; the pictures nearest to it have the highest sum of looks.
        length: by which the cosine with it is multiplied; 0 where the encoder can read no word.
        offset: what is taken from that, to get the sum in standard deviations.
        shares: `(u,)` float32, what words and meaning of each text count at most.
    """

    vector: NDArray[np.float32]
    length: float
    offset: float
    shares: NDArray[np.float32]

    def bound(self, nearest: float, beyond: NDArray[np.float32], weights: Weights, *, silence: bool) -> float:
        """Log-odds that no picture exceeds.

        Args:
            nearest: cosine with the vector that it does not exceed.
            beyond: `(u,)` float32, log-odds of words and meaning that it does not exceed, per text.
            silence: whether there are pictures about which nothing is written.
        """
        look = self.length * nearest - self.offset if self.length else 0.0
        rest = float(self.shares @ beyond)
        written = weights.look * look + rest
        if not silence:
            return written
        return max(written, weights.look_alone * look + weights.silence * float(self.shares.sum()) + rest)


def reach_of(
    ask: Ask,
    asked: Sequence[AskedText],
    vectors: NDArray[np.float32],
    beyond: NDArray[np.float32],
    *,
    lines: bool = False,
) -> Reach | None:
    """The reach of a branch; None where it has no sentence.

    Args:
        asked: the texts of the branch.
        vectors: `(u, dim)` float32, L2-normalised, theirs.
        beyond: `(u,)` float32, log-odds of words and meaning that no picture exceeds, per text.
        lines: whether text was read in pictures, which counts in full.
    """
    if ask.main is None:
        return None
    looks, shares = np.zeros((2, len(asked)), np.float32)
    looks[ask.main] = shares[ask.main] = 1.0
    if len(ask.things) > 1:
        shares[ask.main] = 1.0 if lines else WRITTEN_WHOLE
        said = beyond[list(ask.things)]
        weak = [thing for thing, most in zip(ask.things, said.tolist(), strict=True) if most <= said.min() + _NEARLY]
        for things, worth in ((weak, WEAKEST), (ask.things, AVERAGE)):
            for thing in things:
                looks[thing] += worth / len(things)
                shares[thing] += worth / len(things)
    looks[[number for number, one in enumerate(asked) if one.blind]] = 0
    looks /= np.array([one.background.image_spread for one in asked], np.float32)
    summed = looks @ vectors
    length = float(np.linalg.norm(summed))
    offset = float(looks @ np.array([one.background.image_mean for one in asked], np.float32))
    return Reach((summed / max(length, 1e-6)).astype(np.float32), length, offset, shares)
