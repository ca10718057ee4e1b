"""Sentences taken apart into what can be pointed at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query.sentences.parts import MAX_PARTS, parts_of

SENTENCES = [
    ("a red car left of a tree", ["a red car", "red", "car", "a tree"]),
    ("two dogs, and a cat", ["two dogs", "a cat"]),
    ("red, green", ["red", "green"]),
    ("the man in the red hat", ["man", "red", "hat"]),
    ("a dog and a dog", ["a dog"]),
    ("a red dog on a beach without people", ["a red dog", "red", "dog", "beach", "people"]),
    ("a person riding a horse", ["a person", "riding", "a horse"]),
    ("ein roter Ball links von einem Haus", ["ein roter Ball", "roter", "Ball", "einem Haus"]),
    ("une voiture rouge à gauche d'un arbre", ["une voiture rouge", "voiture", "rouge", "un arbre"]),
    ("un perro junto a la casa", ["un perro", "la casa"]),
    ("червона машина ліворуч від дерева", ["червона машина", "червона", "машина", "дерева"]),
    ("红色的狗", []),
    ("红色的狗，蓝色的猫", ["红色的狗", "蓝色的猫"]),
    ("Xylophon, Zzyzx", ["Xylophon", "Zzyzx"]),
    ("red", []),
    ("the", []),
    ("left of", []),
    ("<script>alert(1)</script>", ["script", "alert", "1"]),
    ("", []),
    ("?!", []),
]


@pytest.mark.parametrize(("sentence", "parts"), SENTENCES)
def test_a_sentence_has_things_and_words(sentence: str, parts: list[str]) -> None:
    assert [sentence[span.start : span.end] for span in parts_of(sentence)] == parts


def test_a_long_sentence_has_no_more_parts_than_can_be_shown() -> None:
    assert len(parts_of(" and ".join(f"thing{number}" for number in range(100)))) == MAX_PARTS


@given(st.text())
def test_parts_of_anything_are_distinct_and_never_empty(text: str) -> None:
    parts = [text[span.start : span.end] for span in parts_of(text)]
    assert all(part.strip() for part in parts)
    assert len({part.casefold() for part in parts}) == len(parts)
