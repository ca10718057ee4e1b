"""No picture that was left out is worth more than was said of those that were left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from search.query.asked import ask
from search.query.branches import Branch
from search.query.calibrate import Background
from search.query.evidence import AskedText, Evidence
from search.query.fuse import DEFAULT, judge
from search.query.rank import rank
from search.query.reach import reach_of
from tests.search.stock import unit_vectors

SENTENCES = [
    "a man",
    "a man next to a dog",
    "a red car left of a house",
    "two dogs",
    "a cat, a dog and a bird on a bench",
]


@pytest.mark.parametrize("text", SENTENCES)
@pytest.mark.parametrize("seed", range(20))
def test_the_bound_holds_for_what_lies_further_than_the_nearest(text: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    asking = ask(Branch(text))
    texts, pictures = len(asking.texts), unit_vectors(100 + seed, 300)
    vectors = unit_vectors(seed, texts)
    none, rows = np.empty(0, np.float32), np.empty(0, np.int64)
    asked = [
        AskedText(
            one, (), Background(rng.uniform(-0.2, 0.2), rng.uniform(0.05, 0.3), 0, 1, 0), rows, none, none, rows, none
        )
        for one in asking.texts
    ]
    if seed % 4 == 0:
        asked[-1] = replace(asked[-1], blind=True)
    means = np.array([one.background.image_mean for one in asked])
    look = ((pictures @ vectors.T - means) / [one.background.image_spread for one in asked]).astype(np.float32)
    look[:, [one.blind for one in asked]] = 0
    silent = rng.random(300) < (0.3 if seed % 3 else 0)
    said = np.where(silent[:, None], 0, rng.random((300, texts)) * rng.random(texts)).astype(np.float32)
    judged = judge(look, said, 3 * said, silent, DEFAULT)
    evidence = Evidence(
        np.arange(300),
        look,
        judged,
        np.zeros((300, texts), np.int64),
        silent,
        np.ones(look.shape, bool),
        np.zeros(look.shape, bool),
    )
    total = rank(asking, evidence, np.zeros(300, np.float32)).total

    told = (DEFAULT.words + 3 * DEFAULT.meaning) * said
    for some in (1, 20, 299):
        reach = reach_of(asking, asked, vectors, told.max(axis=0))
        assert reach is not None
        order = np.argsort(-(pictures @ reach.vector))
        outside = order[some:]
        reach = reach_of(asking, asked, vectors, told[outside].max(axis=0))
        assert reach is not None
        nearest = float((pictures[outside] @ reach.vector).max())
        bound = reach.bound(nearest, told[outside].max(axis=0), DEFAULT, silence=bool(silent.any()))
        assert total[outside].max() <= bound + 1e-3


def test_a_branch_without_a_sentence_has_none() -> None:
    assert reach_of(ask(Branch("")), [], np.empty((0, 16), np.float32), np.empty(0, np.float32)) is None
