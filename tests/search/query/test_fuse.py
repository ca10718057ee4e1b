"""Texts add to a picture's score, never subtract, in units of the query's background."""

from __future__ import annotations

import numpy as np
import pytest

from search.query.calibrate import Background, measure_background
from search.query.fuse import TextMatch, combine, word_coverage

BACKGROUND = Background(image_std=0.1, text_mean=0.0, text_high=0.4)


def text(cosine: float, coverage: float = 0.0) -> TextMatch:
    return TextMatch(1, "a text", cosine, coverage)


def test_a_picture_without_a_text_keeps_its_cosine() -> None:
    assert combine(0.25, None, BACKGROUND) == {"image": 0.25}
    assert combine(0.25, text(1.0), None) == {"image": 0.25}


def test_a_text_adds_what_it_stands_out_by() -> None:
    assert combine(0.25, text(0.9), BACKGROUND) == {"image": 0.25, "text": pytest.approx(0.1 * 6 * 0.5)}


def test_a_text_like_any_other_adds_nothing() -> None:
    assert combine(0.25, text(0.1), BACKGROUND) == {"image": 0.25}


def test_holding_every_word_adds_even_where_the_encoder_sees_no_likeness() -> None:
    assert combine(0.25, text(-0.2, coverage=1.0), BACKGROUND)["text"] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("match", "counts", "explains"),
    [
        (text(0.3), False, False),
        (text(0.5), True, False),
        (text(0.65), True, True),
        (text(0.0, coverage=1.0), True, True),
        (text(0.0, coverage=0.9), False, False),
    ],
)
def test_boxes_are_drawn_for_texts_that_say_much_the_same(match: TextMatch, counts: bool, explains: bool) -> None:
    assert (match.counts(BACKGROUND), match.explains(BACKGROUND)) == (counts, explains)


@pytest.mark.parametrize(
    ("words", "body", "coverage"),
    [
        ((), "anything", 0.0),
        (("red", "bus"), "A RED bus!", 1.0),
        (("red", "bus"), "redder buses", 0.0),
        (("red", "bus"), "a bus", 0.5),
        (("猫",), "一只猫在桌子上", 1.0),
        (("größe",), "Die GRÖSSE und die Größe", 1.0),
        (("cat",), "concatenate", 0.0),
    ],
)
def test_words_count_whole_but_scripts_without_gaps_count_as_characters(
    words: tuple[str, ...], body: str, coverage: float
) -> None:
    assert word_coverage(words, body) == coverage


def test_the_background_of_an_empty_sample_is_zero() -> None:
    empty = np.empty((0, 4), np.float32)
    assert measure_background(np.ones((1, 4), np.float32), empty, empty) == Background(0.0, 0.0, 0.0)
