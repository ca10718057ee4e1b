"""What a branch of a query asks for, as vectors, and what it found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.query.asked import Ask
from search.query.compose import Boxed, Composition
from search.query.evidence import AskedText, Evidence
from search.query.rank import Ranked
from vision.looks import Looks


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What a branch asks for, as vectors.

    Attributes:
        ask: the branch.
        vectors: `(u, dim)` float32, its texts.
        likes: `(l, dim)` float32, pictures and regions that the hits should look like.
        weights: `(l,)` float32, of each; negative for what they should not look like.
        among: rows of the catalogue that its filters leave, ascending; None for all.
        without: rows that must not be found: the pictures that were given.
        plain: look alone counts, and the score is the cosine.
        unread: words that the encoder cannot read, folded.
        misread: `(pictures,)` float32, what wrong letters of the words that were read in them take; None where none
            were asked for.
    """

    ask: Ask
    vectors: NDArray[np.float32]
    likes: NDArray[np.float32]
    weights: NDArray[np.float32]
    among: NDArray[np.int64] | None = None
    without: tuple[int, ...] = ()
    plain: bool = False
    unread: frozenset[str] = frozenset()
    misread: NDArray[np.float32] | None = None

    @property
    def bare(self) -> bool:
        """Whether the score is a cosine: asked for so, or nothing but one picture."""
        one_picture = not self.ask.texts and len(self.likes) == 1 and float(self.weights[0]) == 1.0
        return self.plain or one_picture

    @property
    def is_one_box(self) -> bool:
        """Whether nothing is given but one box, and annotations count: then the boxes of pictures are compared."""
        likes = self.ask.branch.likes
        return (
            not self.plain
            and not self.ask.texts
            and len(likes) == 1
            and likes[0].of == "region"
            and likes[0].weight > 0
        )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Pictures that were looked at again.

    Attributes:
        rows: `(m,)` int64, rows of the catalogue, ascending.
        looks: their patches.
        cosines: `(cells, u)` of each, with every text of the branch.
        units: `(m, u)` float32, standard deviations above what patches show in general.
        strengths: `(m, u)` float32 in [0, 1].
    """

    rows: NDArray[np.int64]
    looks: tuple[Looks, ...]
    cosines: tuple[NDArray[np.float32], ...]
    units: NDArray[np.float32]
    strengths: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Branched:
    """What one branch found, for explaining it.

    Attributes:
        ranked: in the order of the ranking.
        boxed: regions of its first pictures, with how well each is each thing; None where no text was asked.
        composition: what those say.
        evidence: of all candidates.
        asked: the texts.
        seen: its best, looked at again; None where no patches are kept.
    """

    given: Given
    ranked: Ranked
    asked: tuple[AskedText, ...]
    evidence: Evidence
    boxed: Boxed | None = None
    composition: Composition | None = None
    seen: Seen | None = None
