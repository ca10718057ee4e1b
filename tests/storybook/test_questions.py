"""Questions: their answers are true, and yes is as frequent as no."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from storybook.drawing import render
from storybook.language import LANGUAGES, grammar_of
from storybook.language.compose import Filling, Mention, Writer
from storybook.language.grammar import Words
from storybook.questions import Question, questions
from storybook.scenes import generate_scene
from storybook.world import COLOURS, THINGS, Relation, Scene

ENGLISH = grammar_of("en")
PLURALS = {ENGLISH.phrase(Words(kind, count=0))[1]: kind for kind in THINGS}
SCENES = [generate_scene(seed, "test") for seed in range(80)]


def asked(scene: Scene, language: str = "en", seed: int = 0) -> list[Question]:
    return questions(scene, render(scene, 48), language, seed)


def resolve(scene: Scene, phrase: str) -> int:
    """Find the one thing that an English phrase such as "the small red dog" means."""
    words = phrase.removeprefix("the ").split()
    found = []
    for index, thing in enumerate(scene.things):
        said = set(words) - set(thing.kind.split()) - {"in", thing.colour, thing.pattern, thing.size}
        if thing.kind in phrase and not said:
            found.append(index)
    assert len(found) == 1, phrase
    return found[0]


def test_colour_questions_tell_the_colour() -> None:
    seen = 0
    for scene in SCENES:
        for question in asked(scene):
            match = re.fullmatch(r"What colour is (the .+?)( wearing)?\?", question.text)
            if match:
                seen += 1
                assert question.kind == "colour"
                assert question.answer == scene.things[resolve(scene, match[1])].colour
    assert seen > 60


def test_count_questions_count() -> None:
    answers = Counter()
    for scene in SCENES:
        for question in asked(scene):
            match = re.fullmatch(r"How many (.+) are there\?", question.text)
            if not match:
                continue
            rest, colour = match[1], None
            worn = re.fullmatch(r"(.+) in (\w+)", rest)
            if worn:
                rest, colour = worn[1], worn[2]
            elif rest.split()[0] in COLOURS:
                colour, rest = rest.split(" ", 1)
            there = [t for t in scene.things if t.kind == PLURALS[rest] and colour in (None, t.colour)]
            assert question.answer == str(len(there))
            answers[question.answer] += 1
    assert set(answers) >= {"0", "1", "2", "3"}


def test_side_and_height_questions_agree_with_the_boxes() -> None:
    seen: Counter[str] = Counter()
    for scene in SCENES:
        for question in asked(scene):
            match = re.fullmatch(r"Is (the .+) (left or right of|above or below) (the .+)\?", question.text)
            if not match:
                continue
            a = scene.things[resolve(scene, match[1])].box
            b = scene.things[resolve(scene, match[3])].box
            if match[2].startswith("left"):
                assert question.answer == ("left" if a.x0 + a.x1 < b.x0 + b.x1 else "right")
            else:
                assert question.answer == ("above" if a.y0 + a.y1 < b.y0 + b.y1 else "below")
            seen[question.answer] += 1
    assert min(seen[side] for side in ("left", "right", "above", "below")) > 5


def test_place_questions_name_the_background_but_never_the_night() -> None:
    for scene in SCENES:
        places = [q.answer for q in asked(scene) if q.text == "Where is this?"]
        assert places == ([] if scene.background == "night" else [ENGLISH.places[scene.background]])


def test_existence_questions_are_true() -> None:
    for scene in SCENES:
        for question in asked(scene):
            match = re.fullmatch(r"Is there an? (.+)\?", question.text)
            if match:
                there = {ENGLISH.phrase(Words(t.kind, t.colour))[1] for t in scene.things}
                said = {phrase.split(" ", 1)[1] for phrase in there}
                assert question.answer == ("yes" if match[1] in said else "no")


def test_colour_checks_are_true() -> None:
    for scene in SCENES:
        for question in asked(scene):
            match = re.fullmatch(r"Is (the .+?) (?:wearing )?(\w+)\?", question.text)
            if match and match[2] in COLOURS and question.kind == "yesno":
                truth = scene.things[resolve(scene, match[1])].colour == match[2]
                assert question.answer == ("yes" if truth else "no")


def test_relation_checks_are_true() -> None:
    seen = 0
    for scene in SCENES:
        for question in asked(scene):
            match = re.fullmatch(r"Is (the .+?) (left of|right of|above|below) (the .+)\?", question.text)
            if match and question.kind == "yesno":
                seen += 1
                first, second = resolve(scene, match[1]), resolve(scene, match[3])
                truth = Relation(first, match[2], second) in scene.relations
                assert question.answer == ("yes" if truth else "no")
    assert seen > 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_yes_and_no_are_asked_for_equally_often(language: str) -> None:
    yes, no = grammar_of(language).yes_no
    for scene in SCENES[:20]:
        answers = [question.answer for question in asked(scene, language) if question.kind == "yesno"]
        assert set(answers) <= {yes, no}
        assert answers.count(yes) == answers.count(no) > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_question_has_one_answer(language: str) -> None:
    for scene in SCENES[:30]:
        answers: dict[str, str] = {}
        for question in asked(scene, language):
            assert answers.setdefault(question.text, question.answer) == question.answer
            assert question.language == language
            assert not set("{}") & set(question.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_four_kinds_are_asked_in_every_language(language: str) -> None:
    kinds = Counter(question.kind for scene in SCENES[:30] for question in asked(scene, language))
    assert min(kinds[kind] for kind in ("colour", "count", "where", "yesno")) > 10


GOLDEN = {
    "en": ("What colour is the dog?", "Is the car red?", "How many red dogs are there?"),
    "de": ("Welche Farbe hat der Hund?", "Ist das Auto rot?", "Wie viele rote Hunde gibt es?"),
    "fr": (
        "De quelle couleur est le chien ?",
        "Est-ce que la voiture est rouge ?",
        "Combien de chiens rouges y a-t-il ?",
    ),
    "es": ("¿De qué color es el perro?", "¿Es rojo el coche?", "¿Cuántos perros rojos hay?"),
    "zh": ("狗是什么颜色的？", "汽车是红色的吗？", "有几只红色的狗？"),
    "uk": ("Якого кольору собака?", "Чи машина червона?", "Скільки тут червоних собак?"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_golden_questions(language: str) -> None:
    grammar = grammar_of(language)
    asking = grammar.templates.asking
    fillings = (
        (asking.colour, Filling(subject=Mention(Words("dog", definite=True), ()))),
        (asking.is_colour, Filling(subject=Mention(Words("car", definite=True), ()), colour="red")),
        (asking.count, Filling(subject=Mention(Words("dog", "red", count=0), ()))),
    )
    texts = []
    for template, filling in fillings:
        writer = Writer(grammar)
        writer.sentence(template, filling)
        texts.append(writer.text)
    assert tuple(texts) == GOLDEN[language]


def test_questions_are_deterministic_and_vary_with_the_seed() -> None:
    scene = SCENES[4]
    assert asked(scene, "fr", 1) == asked(scene, "fr", 1)
    assert len({tuple(question.text for question in asked(scene, "fr", seed)) for seed in range(6)}) > 1
