"""Where phrases stand in a translation: alignments drawn as tables, and phrases looked for by their words."""

from __future__ import annotations

import re

import numpy as np
import pytest

from vision.translation.base import Alignment
from vision.translation.projection import find_phrase, project
from vision.types import Span


def tokens(text: str) -> tuple[Span, ...]:
    """Every word, mark and Chinese letter as a token."""
    return tuple(Span(match.start(), match.end()) for match in re.finditer(r"[一-鿿]|[^\W一-鿿]+|[^\w\s]", text))


def span_of(text: str, phrase: str) -> Span:
    start = text.index(phrase)
    return Span(start, start + len(phrase))


def linked(source: str, target: str, links: str) -> Alignment:
    """Links as `target>source` places; several sources of one target share its weight, none leaves it at 0."""
    before, after = tokens(source), tokens(target)
    weights = np.zeros((len(after), len(before)), dtype=np.float32)
    for link in links.split():
        row, columns = link.split(">")
        for column in columns.split(","):
            weights[int(row), int(column)] = 1 / len(columns.split(","))
    return Alignment(before, after, weights)


@pytest.mark.parametrize(
    ("source", "target", "links", "phrases"),
    [
        pytest.param(
            "a red dog and a tree",
            "ein roter Hund und ein Baum",
            "0>0 1>1 2>2 3>3 4>4 5>5",
            {"a red dog": "ein roter Hund", "a tree": "ein Baum"},
            id="word by word",
        ),
        pytest.param(
            "a red dog sits",
            "siede un cane rosso",
            "0>3 1>0 2>2 3>1",
            {"a red dog": "un cane rosso"},
            id="another order",
        ),
        pytest.param(
            "a dog left of a tree",
            "一只狗在树的左边。",
            "0>0 1>0 2>1 3>2,3 4>5 5>3 6>2 7>2 8>5",
            {"a dog": "一只狗", "a tree": "树"},
            id="no blanks, and a full stop that looks at the last word",
        ),
        pytest.param(
            "a red dog and a cat",
            "ein roter Hund und eine Katze",
            "0>3 1>1 2>2 3>3 4>4 5>5",
            {"a red dog": "roter Hund"},
            id="an article that looks elsewhere is left out at the edge",
        ),
        pytest.param(
            "a big red dog and a cat",
            "ein großer roter Hund und eine Katze",
            "0>0 1>1 2>4 3>3 4>4 5>5 6>6",
            {"a big red dog": "ein großer roter Hund"},
            id="a word that looks elsewhere is kept inside",
        ),
        pytest.param(
            "the dog chases a ball in a park",
            "der Hund jagt im Park den Ball des Hundes",
            "0>0 1>1 2>2 3>5 4>7 5>3 6>4 7>0 8>1",
            {"the dog": "der Hund", "a ball": "den Ball", "a park": "Park"},
            id="a phrase named twice takes one place",
        ),
        pytest.param(
            "a red ball and a red box",
            "ein roter Ball und Kasten",
            "0>0,4 1>1,5 2>2 3>3 4>6",
            {"a red ball": "Ball", "a red box": "Kasten"},
            id="a word shared by two phrases goes to neither",
        ),
        pytest.param(
            "a dog on the grass",
            "un chien sur l'herbe",
            "0>0 1>1 2>2 3>3 4>3 5>4",
            {"a dog on the grass": "un chien sur l'herbe", "the grass": "l'herbe"},
            id="a phrase within a phrase",
        ),
        pytest.param("a dog barks", "es bellt", "0>2 1>2", {"a dog": None}, id="nothing comes from it"),
        pytest.param("a dog", "Hund", "", {"a dog": None}, id="nothing is known"),
        pytest.param("a dog", "...", "0>1 1>1 2>1", {"a dog": None}, id="no word at all"),
    ],
)
def test_a_phrase_takes_the_run_of_words_that_comes_from_it(
    source: str, target: str, links: str, phrases: dict[str, str | None]
):
    found = project(linked(source, target, links), target, [span_of(source, phrase) for phrase in phrases])
    told = [None if span is None else target[span.start : span.end] for span in found]
    assert told == list(phrases.values())


def test_no_phrases_have_no_places():
    assert project(linked("a dog", "ein Hund", "0>0 1>1"), "ein Hund", []) == []


def test_tokens_that_are_parts_of_words_speak_for_the_whole_word():
    source, target = "a lighthouse", "Ein Leuchtturm steht"
    pieces = (Span(0, 3), Span(4, 9), Span(9, 14), Span(15, 20))
    weights = np.array([[1, 0], [0, 1], [0.6, 0.4], [0, 0]], dtype=np.float32)
    alignment = Alignment(tokens(source), pieces, weights)
    assert project(alignment, target, [Span(2, 12)]) == [Span(4, 14)]


@pytest.mark.parametrize(
    ("text", "phrase", "found"),
    [
        ("Ein roter Hund bellt", "roter Hund", "roter Hund"),
        ("Ein Roter Hund bellt", "roter hund", "Roter Hund"),
        ("Man sieht einen roten Hund dort", "ein roter Hund", "einen roten Hund"),
        ("图中有一只红色的狗。", "一只红狗", None),
        ("图中有一只红色的狗。", "红色的狗", "红色的狗"),
        ("A catalogue", "cat", None),
        ("The big red car", "the big red dog", None),
        ("A dog (brown)", "(brown)", "(brown)"),
        ("A dog", "a very long phrase about nothing", None),
        ("A dog", "", None),
        ("", "a dog", None),
        ("A dog", "...", None),
    ],
)
def test_a_phrase_translated_alone_is_found_by_its_words(text: str, phrase: str, found: str | None):
    span = find_phrase(text, phrase)
    assert (None if span is None else text[span.start : span.end]) == found
