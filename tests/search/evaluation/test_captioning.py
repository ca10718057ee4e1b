"""BLEU-4, ROUGE-L and CIDEr-D by their definitions, and words as this project cuts them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.evaluation.captioning import _common, caption_figures, clip_score, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A man's black-and-white dog, 2 cats.", ["a", "man's", "black-and-white", "dog", "2", "cats"]),
        ("  ", []),
        ("-'-", []),
        ("Ein Mädchen – groß", ["ein", "mädchen", "groß"]),
        ("两只狗 in 雪", ["两", "只", "狗", "in", "雪"]),
        ("ﬁne ２", ["fine", "2"]),
        ("snake_case", ["snake", "case"]),
    ],
)
def test_words_are_runs_of_letters_and_digits(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_bleu_is_that_of_the_whole_set_against_the_closest_length() -> None:
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 fours; as long as the second reference.
    found = caption_figures(["a dog on a mat"], [["a dog on a very very long rug", "a dog on a rug"]])
    assert found.bleu_4.value == pytest.approx(100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)


def test_a_short_caption_is_punished_and_a_repeated_word_counts_as_often_as_people_said_it() -> None:
    short = caption_figures(["a dog on a mat"], [["a dog on a mat by the door today again"]])
    assert short.bleu_4.value == pytest.approx(100 * math.exp(1 - 2))
    assert caption_figures(["the the the the"], [["the cat"]]).bleu_4.value == 0


def test_rouge_is_the_f_measure_of_the_best_precision_and_the_best_recall() -> None:
    found = caption_figures(["a dog sat on a mat"], [["a dog on the mat"]])
    precision, recall = 4 / 6, 4 / 5
    expected = (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)
    assert found.rouge_l.value == pytest.approx(100 * expected)


def test_cider_knows_which_words_are_rare_and_how_long_captions_are() -> None:
    # Of single words the rare one of each picture weighs log 2, the common ones nothing; no longer n-gram is shared.
    found = caption_figures(["cats a", "dogs a"], [["a cats"], ["a dogs"]])
    assert found.cider_d.value == pytest.approx(100 * 10 / 4)
    longer = caption_figures(["cats a a a", "dogs a a a"], [["a cats"], ["a dogs"]])
    assert longer.cider_d.value == pytest.approx(100 * 10 / 4 * math.exp(-(2**2) / 72))


REFERENCES = [["a brown bear in the grass", "the bear has a nose"], ["two skiers on snow", "people ski down a hill"]]


def test_a_caption_that_people_wrote_reaches_the_most() -> None:
    own = caption_figures([some[0] for some in REFERENCES], REFERENCES)
    other = caption_figures([some[0] for some in reversed(REFERENCES)], REFERENCES)
    assert own.bleu_4.value == pytest.approx(100)
    assert own.rouge_l.value == pytest.approx(100)
    assert own.cider_d.value > 400
    assert other.cider_d.value < 50
    assert own.cider_d.low <= own.cider_d.value <= own.cider_d.high
    assert own.bleu_4.n == 2


@pytest.mark.parametrize(
    ("captions", "references"),
    [([], []), ([""], [[""]]), (["!", "a dog"], [["?"], ["a dog"]]), (["a"], [["b", "b", ""]])],
)
def test_nothing_written_is_no_crash(captions: list[str], references: list[list[str]]) -> None:
    found = caption_figures(captions, references)
    for figure in (found.bleu_4, found.rouge_l, found.cider_d):
        assert figure.n == len(captions)
        assert not captions or np.isfinite(figure.value)


@settings(max_examples=60, deadline=None)
@given(first=st.text("abc", max_size=12), second=st.text("abcd", max_size=12))
def test_the_longest_common_subsequence_is_that_of_the_textbook(first: str, second: str) -> None:
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for row, one in enumerate(first):
        for column, other in enumerate(second):
            best = max(table[row][column + 1], table[row + 1][column])
            table[row + 1][column + 1] = table[row][column] + 1 if one == other else best
    assert _common(list(first), list(second)) == table[-1][-1]


def test_a_negative_cosine_is_worth_nothing() -> None:
    assert clip_score([0.4, -0.9]).value == pytest.approx(100 * 2.5 * 0.4 / 2)
