"""Queries taken apart into what can be pointed at."""

from __future__ import annotations

import pytest

from vision.query_parts import MAX_PARTS, parts_of

QUERIES = [
    ("a red car left of a tree", ["a red car", "red", "car", "a tree"]),
    ("two dogs, and a cat", ["two dogs", "two", "dogs", "a cat"]),
    ("red, green", ["red", "green"]),
    ("the man in the red hat", ["the man", "the red hat", "red", "hat"]),
    ("a dog and a dog", ["a dog"]),
    ("red car", ["red", "car"]),
    ("ein roter Ball links von einem Haus", ["ein roter Ball", "roter", "Ball", "einem Haus"]),
    ("une voiture rouge à gauche d'un arbre", ["une voiture rouge", "voiture", "rouge", "un arbre"]),
    ("un perro junto a la casa", ["un perro", "a la casa"]),
    ("червона машина ліворуч від дерева", ["червона машина", "червона", "машина", "дерева"]),
    ("红色的狗", []),
    ("红色的狗，蓝色的猫", ["红色的狗", "蓝色的猫"]),
    ("red", []),
    ("the", []),
    ("left of", []),
    ("<script>alert(1)</script>", ["script", "alert", "1"]),
    ("", []),
    ("?!", []),
]


@pytest.mark.parametrize(("query", "parts"), QUERIES)
def test_a_query_has_phrases_and_content_words(query: str, parts: list[str]) -> None:
    assert [query[span.start : span.end] for span in parts_of(query)] == parts


def test_a_long_query_has_no_more_parts_than_can_be_shown() -> None:
    assert len(parts_of(" and ".join(f"thing{number}" for number in range(100)))) == MAX_PARTS
