"""Splitting into sentences and words, and joining again."""

from __future__ import annotations

import pytest

from vision.translation.sentences import joined, sentences_of, words_of
from vision.types import Span


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        (" \n ", []),
        ("A dog", ["A dog"]),
        ("A dog. A cat.", ["A dog.", "A cat."]),
        ("  A dog!  Is it red?\nYes ", ["A dog!", "Is it red?", "Yes"]),
        ("It costs 3.50 euros. Cheap", ["It costs 3.50 euros.", "Cheap"]),
        ("Mr. Bean waves. St. Paul's is behind him.", ["Mr. Bean waves.", "St. Paul's is behind him."]),
        ('He said "stop." Then he ran.', ['He said "stop."', "Then he ran."]),
        ("Wait... what?", ["Wait...", "what?"]),
        ("一只狗。两只猫！树呢？", ["一只狗。", "两只猫！", "树呢？"]),
        ("他说：“停！”然后跑了。", ["他说：“停！”", "然后跑了。"]),
        ("...", ["..."]),
    ],
)
def test_a_text_is_split_where_its_sentences_end(text: str, sentences: list[str]):
    assert [text[span.start : span.end] for span in sentences_of(text, 99)] == sentences


def test_a_span_that_must_stay_whole_holds_its_sentences_together():
    text = "A sign: no entry! ever. A cat."
    assert sentences_of(text, 99, [Span(8, 22)]) == [Span(0, 23), Span(24, 30)]


@pytest.mark.parametrize(
    ("text", "whole", "sentences"),
    [
        ("a red dog and a cat", [], ["a red dog", "and a cat"]),
        ("a red dog and a cat", [Span(6, 13)], ["a red", "dog and a", "cat"]),
        ("abcdefghijklmnopqrstuvwxyz", [], ["abcdefghij", "klmnopqrst", "uvwxyz"]),
        ("一只红色的狗在树的左边", [], ["一只红色的狗在树的左", "边"]),
        ("a              b", [], ["a", "b"]),
    ],
)
def test_a_sentence_that_is_too_long_is_cut_between_words(text: str, whole: list[Span], sentences: list[str]):
    assert [text[span.start : span.end] for span in sentences_of(text, 10, whole)] == sentences


@pytest.mark.parametrize(
    ("sentences", "language", "text", "starts"),
    [
        ([], "de", "", []),
        (["Ein Hund.", "Zwei."], "de", "Ein Hund. Zwei.", [0, 10]),
        (["一只狗。", "两只猫。"], "zh", "一只狗。两只猫。", [0, 4]),
        (["", "Zwei.", "", "Drei."], "de", "Zwei. Drei.", [0, 0, 5, 6]),
    ],
)
def test_sentences_are_joined_as_the_language_writes_them(
    sentences: list[str], language: str, text: str, starts: list[int]
):
    assert joined(sentences, language) == (text, starts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("a red-haired man, 2 dogs", ["a", "red", "haired", "man", "2", "dogs"]),
        ("l'homme d'ici", ["l", "homme", "d", "ici"]),
        ("红色的狗 dog狗2", ["红", "色", "的", "狗", "dog", "狗", "2"]),
        ("สุนัข", ["สุ", "นั", "ข"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("كلب أحمر", ["كلب", "أحمر"]),
    ],
)
def test_words_are_parted_as_their_script_parts_them(text: str, words: list[str]):
    assert [text[span.start : span.end] for span in words_of(text)] == words
