"""Figures of rankings by hand-computed examples, and their intervals by what is known of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.evaluation.ranking import (
    NOT_FOUND,
    auc,
    first_right,
    hit_at_1,
    mean,
    mean_by,
    mean_reciprocal_rank,
    recall_at,
    share,
)


def test_a_share_has_wilsons_interval() -> None:
    figure = share([True] * 8 + [False] * 2)
    assert figure.value == 80.0
    assert figure.low == pytest.approx(49.02, abs=0.01)
    assert figure.high == pytest.approx(94.33, abs=0.01)
    assert figure.n == 10


@pytest.mark.parametrize(("right", "value"), [([True] * 5, 100.0), ([False] * 5, 0.0)])
def test_certainty_is_never_claimed_from_few_queries(right: list[bool], value: float) -> None:
    figure = share(right)
    assert figure.value == value
    assert figure.high - figure.low > 40


def test_ranks_give_hit_recall_and_reciprocal_rank() -> None:
    ranks = [1.0, 2.0, 10.0, NOT_FOUND]
    assert hit_at_1(ranks).value == 25.0
    assert recall_at(ranks, 5).value == 50.0
    assert recall_at(ranks, 1000).value == 75.0
    assert mean_reciprocal_rank(ranks).value == pytest.approx(100 * (1 + 0.5 + 0.1) / 4)


def test_auc_counts_ties_half() -> None:
    assert auc([3.0, 2.0], [1.0, 0.0]).value == 100.0
    assert auc([1.0], [1.0]).value == 50.0
    assert auc([0.0, 2.0], [1.0]).value == 50.0


@pytest.mark.parametrize("nothing", [share([]), mean([]), auc([], [1.0]), auc([1.0], []), mean_reciprocal_rank([])])
def test_nothing_asked_is_no_figure(nothing: object) -> None:
    assert math.isnan(nothing.value)  # type: ignore[attr-defined]


def test_the_first_right_answer_is_the_one_that_counts() -> None:
    assert first_right([7, 3, 5], {5, 3}) == 2
    assert first_right([7], {5}) == NOT_FOUND
    assert first_right([], frozenset()) == NOT_FOUND


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_the_interval_holds_the_figure(right: list[bool]) -> None:
    figure = share(right)
    assert 0 <= figure.low <= figure.value <= figure.high <= 100


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=30), st.lists(st.floats(-5, 5), min_size=1, max_size=30))
def test_auc_agrees_with_counting_every_pair(positive: list[float], negative: list[float]) -> None:
    p, n = np.array(positive)[:, None], np.array(negative)[None]
    expected = 100 * ((p > n).mean() + 0.5 * (p == n).mean())
    assert auc(positive, negative).value == pytest.approx(expected)


def test_equal_input_gives_the_equal_interval() -> None:
    assert auc([1.0, 2.0, 0.5], [0.2, 1.5]) == auc([1.0, 2.0, 0.5], [0.2, 1.5])


def test_an_interval_over_groups_is_wider_where_the_queries_of_a_group_agree() -> None:
    values = [1.0] * 5 + [0.0] * 5 + [1.0] * 5 + [0.0] * 5
    together = mean_by(values, [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5)
    apart = mean_by(values, range(20))
    assert together.value == apart.value == mean(values).value == 50
    assert together.n == 20
    assert together.high - together.low > apart.high - apart.low


def test_a_mean_over_groups_of_nothing_is_no_figure() -> None:
    assert math.isnan(mean_by([], []).value)
