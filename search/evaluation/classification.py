"""Zero-shot classification as papers report it: top-1 and top-5 of pictures in folders named by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.evaluation.ranking import Figure, mean, recall_at


@dataclass(frozen=True, slots=True)
class ClassificationFigures:
    """How often the right label came first.

    Attributes:
        top_1: per cent of pictures whose own label is the first.
        top_5: per cent whose own label is among the first five.
        mean_per_class: mean over classes of the share of top-1, bootstrap over classes.
        classes: how many labels there were to choose from.
    """

    top_1: Figure
    top_5: Figure
    mean_per_class: Figure
    classes: int


def classification_figures(ranks: Mapping[str, Sequence[float]], classes: int) -> ClassificationFigures:
    """Figures of pictures whose class is known.

    Args:
        ranks: class → the rank, from 1, of that class among the labels, of each of its pictures.
        classes: how many labels there were.
    """
    every = [rank for some in ranks.values() for rank in some]
    shares = [sum(rank <= 1 for rank in some) / len(some) for some in ranks.values() if some]
    return ClassificationFigures(recall_at(every, 1), recall_at(every, 5), mean(shares), classes)
