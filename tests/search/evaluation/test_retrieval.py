"""R@k and median rank by hand-computed examples, and against the published check figures."""

from __future__ import annotations

import numpy as np

from search.evaluation.retrieval import image_to_text, text_to_image

EYE = np.eye(4, dtype=np.float32)


def test_perfect_vectors_give_one_hundred_per_cent() -> None:
    figures = text_to_image(EYE, EYE, [0, 1, 2, 3])
    assert figures.recall_at == {1: 100.0, 5: 100.0, 10: 100.0}
    assert (figures.median_rank, figures.queries, figures.answers) == (1.0, 4, 4)


def test_ties_count_in_the_querys_favour() -> None:
    same = np.repeat(EYE[:1], 4, axis=0)
    assert text_to_image(same, same, [0, 1, 2, 3]).recall_at[1] == 100.0


def test_a_wrong_order_is_counted_by_rank() -> None:
    captions = EYE[[1, 2, 3, 0]]
    figures = text_to_image(captions, EYE, [0, 1, 2, 3])
    assert figures.recall_at[1] == 0.0
    assert figures.recall_at[5] == 100.0
    assert figures.median_rank == 2.0


def test_a_picture_is_answered_by_the_best_placed_of_its_captions() -> None:
    captions = np.concatenate([EYE[[3]], EYE])
    figures = image_to_text(captions, EYE, [0, 0, 1, 2, 3])
    assert figures.recall_at[1] == 100.0
    assert (figures.queries, figures.answers) == (4, 5)
