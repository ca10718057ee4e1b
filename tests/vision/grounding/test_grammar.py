"""Random walks through the grammar: whatever the model prefers, the answer is well-formed and short enough."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.grounding.entities import read_entities
from vision.grounding.grammar import BoxGrammar, Place
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.locations import GRID
from vision.grounding.prompts import NEXT_BOX, OBJECT, OBJECT_END, PHRASE, PHRASE_END
from vision.grounding.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary(captioner: Kosmos2Captioner) -> Vocabulary:
    return captioner._engine.vocabulary


@pytest.fixture(scope="module")
def grammar(vocabulary: Vocabulary) -> BoxGrammar:
    return BoxGrammar(vocabulary, size=vocabulary.size + 5, max_boxes_per_phrase=2)


def _walk(
    grammar: BoxGrammar, vocabulary: Vocabulary, prompt: str, *, tokens: int, boxes: int, dice: random.Random
) -> list[int]:
    """Choose among the allowed kinds of token with loaded dice, so that tags are as likely as words."""
    state = grammar.start(vocabulary.prompt_ids([prompt])[0], tokens=tokens, boxes=boxes, points=True)
    written: list[int] = []
    for _ in range(tokens):
        allowed = grammar.allowed([state])[0].nonzero().flatten().tolist()
        tags = [token for token in allowed if token in vocabulary.tags.values()]
        token = dice.choice(tags) if tags and dice.random() < 0.6 else dice.choice(allowed)
        written.append(token)
        if token == vocabulary.end:
            break
        state = grammar.advance(state, token)
    return written


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(8, 60), st.integers(1, 5))
def test_every_walk_is_well_formed_and_within_its_limits(
    grammar: BoxGrammar, vocabulary: Vocabulary, seed: int, tokens: int, boxes: int
):
    written = _walk(grammar, vocabulary, "<grounding>a", tokens=tokens, boxes=boxes, dice=random.Random(seed))
    reading = read_entities(vocabulary.pieces(written))
    assert reading.dropped_boxes == 0
    assert len(reading.regions) <= boxes
    assert len(written) <= tokens
    tags = [token for token in written if token in vocabulary.tags.values()]
    names = {number: tag for tag, number in vocabulary.tags.items()}
    _assert_nested([names[token] for token in tags])


def _assert_nested(tags: Sequence[str]) -> None:
    """Tags come as `<phrase> </phrase> [<object> [delimiter…] </object>]`, none is left open, two boxes a phrase."""
    text = "".join({PHRASE: "(", PHRASE_END: ")", OBJECT: "[", NEXT_BOX: ",", OBJECT_END: "]"}[tag] for tag in tags)
    text = text.replace("[,]", "[]")
    text = text.replace("()[]", "").replace("()", "")
    assert text == ""


def test_behind_a_phrase_that_was_asked_for_only_a_box_may_come(grammar: BoxGrammar, vocabulary: Vocabulary):
    ids = vocabulary.prompt_ids(["<grounding><phrase> a dog</phrase>"])[0]
    state = grammar.start(ids, tokens=20, boxes=4, points=True)
    assert grammar.allowed([state])[0].nonzero().flatten().tolist() == [vocabulary.tags[OBJECT]]


def test_the_second_corner_is_never_above_or_left_of_the_first(grammar: BoxGrammar, vocabulary: Vocabulary):
    ids = vocabulary.prompt_ids(["<grounding><phrase> a dog</phrase>"])[0]
    state = grammar.start(ids, tokens=20, boxes=4, points=True)
    state = grammar.advance(state, vocabulary.tags[OBJECT])
    assert int(grammar.allowed([state]).sum()) == GRID * GRID
    state = grammar.advance(state, vocabulary.first_location + 5 * GRID + 30)
    allowed = grammar.allowed([state])[0].nonzero().flatten() - vocabulary.first_location
    assert {(int(cell) // GRID, int(cell) % GRID) for cell in allowed} == {
        (row, column) for row in range(5, GRID) for column in (30, 31)
    }


def test_the_number_of_boxes_of_a_phrase_is_bounded(grammar: BoxGrammar, vocabulary: Vocabulary):
    ids = vocabulary.prompt_ids(["<grounding><phrase> dogs</phrase>"])[0]
    state = grammar.start(ids, tokens=50, boxes=9, points=True)
    corner = vocabulary.first_location
    for token in (vocabulary.tags[OBJECT], corner, corner, vocabulary.tags[NEXT_BOX], corner, corner):
        assert bool(grammar.allowed([state])[0][token])
        state = grammar.advance(state, token)
    assert state.place is Place.BEHIND_BOX
    assert grammar.allowed([state])[0].nonzero().flatten().tolist() == [vocabulary.tags[OBJECT_END]]


def test_an_answer_to_a_question_holds_words_alone(grammar: BoxGrammar, vocabulary: Vocabulary):
    state = grammar.start(vocabulary.prompt_ids(["Question: a? Answer:"])[0], tokens=9, boxes=3, points=False)
    allowed = set(grammar.allowed([state])[0].nonzero().flatten().tolist())
    assert allowed == {*vocabulary.words(), vocabulary.end}


def test_a_prompt_that_holds_a_finished_box_goes_on_in_words(grammar: BoxGrammar, vocabulary: Vocabulary):
    ids = vocabulary.prompt_ids(
        ["<grounding><phrase> It</phrase><object><patch_index_0001><patch_index_0900></object> is"]
    )
    state = grammar.start(ids[0], tokens=9, boxes=3, points=True)
    assert state.place is Place.TEXT
    assert state.boxes_left == 3


def test_ids_beyond_the_tokenizer_are_never_allowed(grammar: BoxGrammar, vocabulary: Vocabulary):
    state = grammar.start((), tokens=9, boxes=3, points=True)
    assert not grammar.allowed([state])[0][vocabulary.size :].any()
