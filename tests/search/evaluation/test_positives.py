"""mAP@R, R-Precision and R@1 by hand-computed examples; the true caption against the false one."""

from __future__ import annotations

import numpy as np
import pytest

from search.evaluation.positives import chosen, positive_figures

EYE = np.eye(5, dtype=np.float32)


def ranked(*scores: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([scores], np.float32)


def rows(*right: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return [np.array(right, np.int64)]


@pytest.mark.parametrize(
    ("right", "map_at_r", "r_precision", "first"),
    [
        ((0, 1, 2), 100, 100, 100),
        ((0, 2, 4), 100 * (1 + 2 / 3) / 3, 100 * 2 / 3, 100),
        ((1, 2), 100 * (1 / 2) / 2, 50, 0),
        ((4,), 0, 0, 0),
        ((3, 4), 0, 0, 0),
    ],
)
def test_figures_are_those_of_the_definition(
    right: tuple[int, ...], map_at_r: float, r_precision: float, first: float
) -> None:
    found = positive_figures(ranked(0.9, 0.8, 0.7, 0.6, 0.5), EYE, rows(*right))
    assert found.map_at_r.value == pytest.approx(map_at_r)
    assert found.r_precision.value == pytest.approx(r_precision)
    assert found.hit_at_1.value == first
    assert (found.hit_at_1.n, found.answers) == (1, 5)


def test_of_equal_scores_the_earlier_row_comes_first() -> None:
    assert positive_figures(ranked(1, 1, 1, 1, 1), EYE, rows(0)).hit_at_1.value == 100
    assert positive_figures(ranked(1, 1, 1, 1, 1), EYE, rows(1)).hit_at_1.value == 0


def test_no_query_gives_no_figure() -> None:
    found = positive_figures(np.empty((0, 5), np.float32), EYE, [])
    assert np.isnan(found.map_at_r.value)
    assert found.hit_at_1.n == 0


def test_the_nearer_caption_is_chosen_and_a_tie_is_wrong() -> None:
    found = chosen(EYE[:3], EYE[[0, 2, 2]], EYE[[1, 1, 2]], ["swap", "swap", "add"])
    assert {name: (figure.value, figure.n) for name, figure in found.items()} == {
        "swap": (50.0, 2),
        "add": (0.0, 1),
        "all pairs": (pytest.approx(100 / 3), 3),
    }
