"""Captions: exact spans, everything named, relations true, and expressions that single out one thing."""

from __future__ import annotations

import itertools
from functools import cache

import pytest

from storybook.drawing import render
from storybook.language import (
    GRAMMARS,
    LANGUAGES,
    LanguageError,
    captions,
    class_prompts,
    grammar_of,
    phrase_for,
    referring_expressions,
)
from storybook.language.captions import describe, fits, single_out
from storybook.language.grammar import Words
from storybook.scenes import generate_scene
from storybook.world import COLOURS, PATTERNS, THINGS, Relation, Scene


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [generate_scene(seed, "test") for seed in range(40)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_spans_are_exactly_the_noun_phrases_and_name_things_that_fit(language: str, scenes: list[Scene]) -> None:
    grammar = grammar_of(language)
    for scene in scenes:
        for caption in captions(scene, render(scene, 48), language, 7):
            last = 0
            for span, indexes in caption.phrases:
                assert span.start >= last
                last = span.end
                text = caption.text[span.start : span.end].lower()
                assert indexes
                kind = scene.things[indexes[0]].kind
                assert all(scene.things[i].kind == kind for i in indexes)
                possible = _all_phrases(grammar.code, kind, len(indexes))
                assert text in possible, text


@cache
def _all_phrases(language: str, kind: str, count: int) -> set[str]:
    """Every way in which a language can name so many of a kind, in all its cases, in lower case."""
    grammar = GRAMMARS[language]
    cases = {"de": ("nom", "acc", "dat", "von", "in"), "fr": ("nom", "de"), "es": ("nom", "de", "a"), "uk": ("nom",)}
    singular = {"uk": ("nom", "gen", "ins")}
    used = singular.get(language, cases.get(language, ("nom",))) if count == 1 else cases.get(language, ("nom",))
    return {
        grammar.phrase(Words(kind, colour, size, pattern, count, definite), case)[1].lower()
        for case in used
        for colour in (None, *COLOURS)
        for size in (None, "small", "large")
        for pattern in (None, *PATTERNS[1:])
        for definite in ((False, True) if count == 1 else (False,))
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_name_every_thing_once_in_their_first_sentence(language: str, scenes: list[Scene]) -> None:
    for scene in scenes:
        for caption in captions(scene, render(scene, 48), language, 1):
            mentioned = [index for _, indexes in caption.phrases for index in indexes]
            assert set(mentioned) == set(range(len(scene.things)))
            if caption.detail == "brief":
                assert len(mentioned) == len(scene.things)


def test_captions_are_deterministic_and_vary_with_the_seed(scenes: list[Scene]) -> None:
    rendered = render(scenes[3], 48)
    assert captions(scenes[3], rendered, "de", 4) == captions(scenes[3], rendered, "de", 4)
    assert len({captions(scenes[3], rendered, "de", seed)[0].text for seed in range(20)}) > 4


def test_captions_leave_no_field_unfilled(scenes: list[Scene]) -> None:
    for language in LANGUAGES:
        for caption in captions(scenes[0], render(scenes[0], 48), language, 2):
            assert not set("{}") & set(caption.text)
            assert caption.text[0] == caption.text[0].upper()


@pytest.mark.parametrize("language", LANGUAGES)
def test_referring_expressions_are_different_for_different_things(language: str, scenes: list[Scene]) -> None:
    for scene in scenes:
        meant: dict[str, int] = {}
        for expression in referring_expressions(scene, language):
            assert meant.setdefault(expression.text, expression.index) == expression.index
            assert (expression.head == expression.text) is (expression.anchor is None)
            assert expression.head.casefold() in expression.text.casefold()


def test_referring_expressions_by_relation_single_out_one_thing(scenes: list[Scene]) -> None:
    seen = 0
    for scene in scenes:
        for expression in referring_expressions(scene, "en"):
            if expression.anchor is None:
                continue
            seen += 1
            words = expression.text.split()
            known = {(r.subject, r.object) for r in scene.relations}
            assert (expression.index, expression.anchor) in known
            assert THINGS[scene.things[expression.index].kind].name.split()[0] in words
            rivals = [
                r
                for r in scene.relations
                if r.object == expression.anchor
                and f" {r.name} " in expression.text
                and scene.things[r.subject].kind == scene.things[expression.index].kind
                and (scene.things[r.subject].colour in words or not set(words[:3]) & set(COLOURS))
            ]
            assert {r.subject for r in rivals} == {expression.index}, expression.text
    assert seen > 20


def test_single_out_says_no_more_than_it_must(scenes: list[Scene]) -> None:
    for scene in scenes:
        for index, thing in enumerate(scene.things):
            words = single_out(scene.things, index)
            same = [other for other in scene.things if other.kind == thing.kind]
            if len(same) == 1:
                assert words == Words(thing.kind, definite=True)
            elif words is not None:
                assert [fits(words, other) for other in scene.things].count(True) == 1


def test_people_are_described_by_what_they_wear_and_never_by_size() -> None:
    scene = next(s for s in (generate_scene(i, "train") for i in range(300)) if s.things[0].kind == "woman")
    woman = scene.things[0]
    assert phrase_for(woman, "en", detail="detailed") == f"a woman in {woman.colour}"
    assert describe(woman, ("size", "colour", "pattern")).size is None


def test_class_prompts_name_the_kind_in_every_language() -> None:
    assert class_prompts("elephant", "en")[0] == "an elephant"
    assert class_prompts("dog", "de")[1] == "ein Bild mit einem Hund"
    assert class_prompts("boat", "uk")[0] == "човен"
    for language in LANGUAGES:
        assert len({class_prompts(kind, language)[0] for kind in THINGS}) == len(THINGS)


def test_a_language_that_is_not_spoken_is_refused_with_the_ones_that_are() -> None:
    with pytest.raises(LanguageError, match=r"does not speak 'xx'\nChoose one of en, de, fr, es, zh, uk"):
        class_prompts("dog", "xx")


def test_relations_are_told_as_they_hold(scenes: list[Scene]) -> None:
    ways = {way.before: name for name, many in grammar_of("en").relations.items() for way in many}
    told = 0
    for scene in scenes:
        for caption in captions(scene, render(scene, 48), "en", 5):
            spots = list(caption.phrases)
            for (first, a), (second, b) in itertools.pairwise(spots):
                between = caption.text[first.end : second.start]
                for prefix in (" is ", " can be seen "):
                    if between.startswith(prefix) and between[len(prefix) :] in ways:
                        told += 1
                        assert Relation(a[0], ways[between[len(prefix) :]], b[0]) in scene.relations
    assert told > 20
