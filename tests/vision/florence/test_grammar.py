"""The grammar: random walks through it, all of which have to end in well-formed answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vision.florence.answers import read_answer
from vision.florence.captioner import Florence2Captioner
from vision.florence.grammar import AnswerGrammar, Form, State
from vision.florence.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary(florence: Florence2Captioner) -> Vocabulary:
    return florence._engine.vocabulary


@pytest.fixture(scope="module")
def grammar(vocabulary: Vocabulary) -> AnswerGrammar:
    return AnswerGrammar(vocabulary, size=vocabulary.size + 24, max_boxes_per_phrase=3)


def _walk(grammar: AnswerGrammar, vocabulary: Vocabulary, state: State, seed: int) -> list[int]:
    """Write at random what is allowed, locations and ends often enough to matter."""
    random = np.random.default_rng(seed)
    tokens: list[int] = []
    while state.tokens_left > 0:
        allowed = torch.nonzero(grammar.allowed([state])[0])[:, 0].tolist()
        assert allowed, "something may always come"
        kinds = [
            [token for token in allowed if vocabulary.is_location(token)],
            [token for token in allowed if vocabulary.is_word(token)],
            [token for token in allowed if token == vocabulary.end] if random.random() < 0.3 else [],
        ]
        pool = kinds[random.choice([number for number in range(3) if kinds[number]] or [0])] or allowed
        tokens.append(int(random.choice(pool)))
        if tokens[-1] == vocabulary.end:
            return tokens
        state = grammar.advance(state, tokens[-1])
    return tokens


@pytest.mark.parametrize("seed", range(40))
def test_phrases_have_boxes_and_only_boxes(grammar: AnswerGrammar, vocabulary: Vocabulary, seed: int):
    tokens = _walk(grammar, vocabulary, grammar.start(Form.PHRASES, tokens=5 + seed, boxes=6), seed)
    places = [vocabulary.is_location(token) for token in tokens]
    assert sum(places) % 4 == 0
    assert sum(places) <= 6 * 4
    run = 0
    for place in places:
        run = run + 1 if place else 0
        assert run <= 3 * 4, "boxes of one phrase"
    reading = read_answer(vocabulary, tokens, [-1.0] * len(tokens))
    repeated = sum(places) // 4 - len(reading.located)
    assert reading.dropped_boxes == repeated
    assert len(tokens) <= 5 + seed


@pytest.mark.parametrize("seed", range(10))
def test_an_opening_comes_first_and_then_its_boxes(grammar: AnswerGrammar, vocabulary: Vocabulary, seed: int):
    opening = vocabulary.ids("a red dog")
    state = grammar.start(Form.BOXES, tokens=len(opening) + 13, boxes=9, opening=opening)
    tokens = _walk(grammar, vocabulary, state, seed)
    assert tuple(tokens[: len(opening)]) == opening
    behind = [token for token in tokens[len(opening) :] if token != vocabulary.end]
    assert behind
    assert all(vocabulary.is_location(token) for token in behind)
    assert len(behind) in (4, 8, 12)


def test_without_room_for_a_box_nothing_points(grammar: AnswerGrammar, vocabulary: Vocabulary):
    state = grammar.start(Form.PHRASES, tokens=4, boxes=6)
    assert torch.nonzero(grammar.allowed([state])[0]).flatten().tolist() == [vocabulary.end]


@pytest.mark.parametrize(
    ("written", "low", "stop"),
    [("", 0, 999), ("<loc_998>", 0, 999), ("<loc_998><loc_7>", 999, 1000), ("<loc_998><loc_7><loc_999>", 8, 1000)],
)
def test_each_corner_lies_right_of_and_below_the_first(
    grammar: AnswerGrammar, vocabulary: Vocabulary, written: str, low: int, stop: int
):
    state = grammar.start(Form.BOXES, tokens=20, boxes=2, opening=vocabulary.ids("x"))
    for token in vocabulary.ids(f"x{written}"):
        state = grammar.advance(state, token)
    allowed = torch.nonzero(grammar.allowed([state])[0]).flatten() - vocabulary.first_location
    assert allowed.tolist() == list(range(low, stop))


def test_words_are_words_and_no_triple_comes_twice(grammar: AnswerGrammar, vocabulary: Vocabulary):
    state = grammar.start(Form.WORDS, tokens=20, boxes=0)
    a, b, c = (vocabulary.ids(letter)[0] for letter in "abc")
    for token in (a, b, c, a, b):
        state = grammar.advance(state, token)
    allowed = set(torch.nonzero(grammar.allowed([state])[0]).flatten().tolist())
    assert allowed == {*vocabulary.words(), vocabulary.end} - {c}


def test_a_description_may_stop_at_a_place(grammar: AnswerGrammar, vocabulary: Vocabulary):
    allowed = grammar.allowed([grammar.start(Form.DESCRIPTION, tokens=20, boxes=0)])[0]
    assert allowed[vocabulary.first_location]
    assert allowed[vocabulary.end]
    assert not allowed[vocabulary.begin]


def test_freely_anything_follows_the_opening(grammar: AnswerGrammar, vocabulary: Vocabulary):
    opening = vocabulary.ids("x")
    state = grammar.start(Form.ANYTHING, tokens=20, boxes=0, opening=opening)
    assert torch.nonzero(grammar.allowed([state])[0]).flatten().tolist() == list(opening)
    assert grammar.allowed([grammar.advance(state, opening[0])]).all()
