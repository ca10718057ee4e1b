"""Where the line lies between what is likely relevant and the rest; fitted on the library's own texts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.query.fuse import DEFAULT, Weights

QUERY_CLASS = "words"


@dataclass(frozen=True, slots=True)
class Relevance:
    """What log-odds of `search.query.fuse` mean in one library.

    Attributes:
        weights: what evidence is worth here.
        line: log-odds from which on a hit is likely relevant: half the likelihood.
        slope: by how much a nat moves the logit of the likelihood.
        texts: how many of the library's own texts it was fitted on; 0 before that.
    """

    weights: Weights = field(default_factory=Weights)
    line: float = 3.0
    slope: float = 0.8
    texts: int = 0

    def likelihood(self, odds: NDArray[np.float32]) -> NDArray[np.float32]:
        """That hits with these log-odds are relevant, in [0, 1]."""
        logit = np.clip(self.slope * (odds - self.line), -30, 30)
        found: NDArray[np.float32] = (1 / (1 + np.exp(-logit))).astype(np.float32)
        return found

    def as_json(self) -> dict[str, Any]:
        """For the table of calibrations."""
        return asdict(self)


_CHANCE = 0.7
"""Of what the best of many normal draws reaches, the share that pictures reach which are not what was asked for."""


def unfitted(pictures: int) -> Relevance:
    """What is assumed of a library that has too few texts to learn from: the line lies where chance ends.

    Args:
        pictures: of the library: the best of many that do not answer comes nearer than the best of few.
    """
    chance = _CHANCE * float(np.sqrt(2 * np.log(max(pictures, 2))))
    return Relevance(DEFAULT, round(DEFAULT.look_alone * chance, 4))


def read_relevance(facts: dict[str, Any] | None) -> Relevance | None:
    """What `as_json` wrote; None where that is not there."""
    if facts is None:
        return None
    try:
        weights = Weights(**{name: float(value) for name, value in facts["weights"].items()})
        return Relevance(weights, float(facts["line"]), float(facts["slope"]), int(facts["texts"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # written by another version; the next publication fits it anew
