"""Search queries over scenes: who answers each is exactly true, in every language, and never trivially so."""

from __future__ import annotations

from collections import Counter

import pytest

from storybook.asking import ABSENT_KINDS, ANSWERS_MOST, QUERY_KINDS, RELATION_KINDS, SceneQuery, scene_queries
from storybook.language import LANGUAGES, LanguageError, grammar_of
from storybook.language.grammar import Words
from storybook.scenes import generate_scene
from storybook.unknown import NONSENSE, OUTSIDE
from storybook.world import COLOURS, RELATIONS, THINGS, Scene

SEEDS = range(2000, 2200)
SCENES = {seed: generate_scene(seed, "test") for seed in SEEDS}
QUERIES = scene_queries(SEEDS)
ENGLISH = grammar_of("en")
PHRASES = {ENGLISH.phrase(Words(kind, colour))[1]: (kind, colour) for kind in THINGS for colour in (None, *COLOURS)}
PLURALS = {ENGLISH.phrase(Words(kind, count=0))[1]: kind for kind in THINGS}


def of(kind: str) -> list[SceneQuery]:
    return [query for query in QUERIES if query.kind == kind]


def shows(scene: Scene, phrase: str) -> bool:
    kind, colour = PHRASES[phrase]
    return any(thing.kind == kind and colour in (None, thing.colour) for thing in scene.things)


def test_every_kind_is_asked_for_but_a_kind_of_thing_that_no_scene_shows() -> None:
    assert {query.kind for query in QUERIES} == set(QUERY_KINDS) - {"absent_kind"}


def test_a_kind_that_no_scene_shows_is_asked_for_where_there_is_one() -> None:
    few = range(2000, 2020)
    drawn = {thing.kind for seed in few for thing in SCENES[seed].things}
    asked = {PHRASES[query.text][0] for query in scene_queries(few) if query.kind == "absent_kind"}
    assert asked == set(THINGS) - drawn


def test_equal_arguments_give_equal_queries_and_another_seed_gives_others() -> None:
    assert scene_queries(SEEDS) == QUERIES
    assert scene_queries(SEEDS, seed=1) != QUERIES


def test_what_is_answered_is_answered_by_one_to_a_tenth_of_the_scenes() -> None:
    for query in QUERIES:
        assert len(query.relevant) <= ANSWERS_MOST * len(SEEDS)
        assert bool(query.relevant) == (query.kind not in ABSENT_KINDS), query
        assert query.relevant <= set(SEEDS)


def test_no_kind_is_asked_for_more_often_than_allowed() -> None:
    counted = Counter(query.kind for query in scene_queries(SEEDS, per_kind=7))
    assert max(counted.values()) == 7


def test_no_text_is_asked_for_twice() -> None:
    texts = [query.text for query in QUERIES]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("kind", ["thing", "colour", "absent_pair"])
def test_one_thing_is_answered_by_the_scenes_that_show_it(kind: str) -> None:
    for query in of(kind):
        assert query.relevant == {seed for seed, scene in SCENES.items() if shows(scene, query.text)}


@pytest.mark.parametrize("kind", list(RELATION_KINDS))
def test_a_relation_is_answered_by_the_scenes_in_which_it_holds_and_others_show_both_things(kind: str) -> None:
    for query in of(kind):
        name = next(some for some in sorted(RELATIONS, key=len, reverse=True) if f" {some} " in query.text)
        subject, other = (PHRASES[part][0] for part in query.text.split(f" {name} "))
        holding, both = set(), set()
        for seed, scene in SCENES.items():
            kinds = [thing.kind for thing in scene.things]
            if subject in kinds and other in kinds:
                both.add(seed)
            if any((r.name, kinds[r.subject], kinds[r.object]) == (name, subject, other) for r in scene.relations):
                holding.add(seed)
        assert query.relevant == holding
        assert both - holding


@pytest.mark.parametrize(("kind", "word", "number"), [("two", "two ", 2), ("three", "three ", 3)])
def test_a_number_is_answered_by_exactly_so_many(kind: str, word: str, number: int) -> None:
    for query in of(kind):
        asked = PLURALS[query.text.removeprefix(word)]
        counts = {seed: sum(thing.kind == asked for thing in scene.things) for seed, scene in SCENES.items()}
        assert query.relevant == {seed for seed, count in counts.items() if count == number}
        assert set(counts.values()) - {0, number}


def test_bound_colours_are_answered_by_no_scene_that_shows_them_on_the_other_thing_only() -> None:
    for query in of("binding"):
        first, second = query.text.split(" and ")
        assert query.relevant == {s for s, scene in SCENES.items() if shows(scene, first) and shows(scene, second)}
        assert query.twin is not None
        kinds = {PHRASES[part][0] for part in (first, second)}
        assert {PHRASES[part][0] for part in query.twin.split(" and ")} == kinds
        colours = {PHRASES[part][1] for part in (first, second)}
        rivals = [
            seed
            for seed, scene in SCENES.items()
            if kinds <= {t.kind for t in scene.things} and colours <= {t.colour for t in scene.things}
        ]
        assert set(rivals) - query.relevant


def test_one_thing_without_another_is_answered_by_scenes_that_lack_it_while_others_show_both() -> None:
    for query in of("without"):
        wanted, lacking = query.text.split(" without ")
        with_it = {seed for seed, scene in SCENES.items() if shows(scene, wanted)}
        both = {seed for seed in with_it if shows(SCENES[seed], lacking)}
        assert query.relevant == with_it - both
        assert len(both) >= 2


@pytest.mark.parametrize("kind", ["and", "and3"])
def test_several_things_are_answered_by_the_scenes_that_show_them_all(kind: str) -> None:
    for query in of(kind):
        parts = query.text.replace(", ", " and ").split(" and ")
        assert len(parts) == (2 if kind == "and" else 3)
        assert query.relevant == {s for s, scene in SCENES.items() if all(shows(scene, part) for part in parts)}


def test_each_language_asks_for_the_same_facts_in_words_of_its_own() -> None:
    queries = scene_queries(SEEDS, languages=LANGUAGES, per_kind=5)
    asked = {language: [query for query in queries if query.language == language] for language in LANGUAGES}
    for language in LANGUAGES:
        assert [(query.kind, query.relevant) for query in asked[language]] == [
            (query.kind, query.relevant) for query in asked["en"]
        ]
        assert all(query.text == query.text.strip() and query.text for query in asked[language])


@pytest.mark.parametrize("table", [OUTSIDE, NONSENSE])
def test_words_from_outside_stand_in_every_language_once(table: dict[str, tuple[str, ...]]) -> None:
    assert set(table) == set(LANGUAGES)
    for words in table.values():
        assert len(set(words)) == len(words) == len(table["en"])


def test_a_language_that_the_storybook_does_not_speak_is_refused() -> None:
    with pytest.raises(LanguageError):
        scene_queries(SEEDS, languages=("en", "tlh"))


def test_the_scenes_that_answer_show_every_kind_that_is_named() -> None:
    for query in QUERIES:
        assert bool(query.kinds) == bool(query.relevant)
        wanted = Counter(query.kinds)
        assert all(not wanted - Counter(thing.kind for thing in SCENES[seed].things) for seed in query.relevant)
