"""Natural sentences of six languages: what is understood of them, and that nothing breaks on any text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query.sentences.meaning import Sentence, Thing
from search.query.sentences.table import lexicon_of
from search.query.sentences.tables import TABLES
from search.query.sentences.understanding import MAX_READ, language_of, understand

DOCS = Path(__file__).resolve().parents[4] / "docs" / "sentences.md"
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in DOCS.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (?!sentence|-)", line) and line.count("|") == 5
]


def told(sentence: Sentence) -> tuple[str, str, str]:
    """Things, relations and what is denied, each as one cell of a table."""

    def name(thing: Thing) -> str:
        notes = [str(note) for note in (thing.extent, thing.place) if note]
        number = f"{thing.count} × " if thing.count else ""
        return number + thing.text + (f" ({', '.join(notes)})" if notes else "")

    relations = (
        f"{sentence.things[one.subject].head} {one.name} {sentence.things[one.object].head}"
        for one in sentence.relations
    )
    cells = (map(name, sentence.things), relations, (thing.text for thing in sentence.without))
    return tuple("; ".join(cell) or "–" for cell in cells)  # type: ignore[return-value]


def test_the_page_shows_every_language() -> None:
    assert {understand(row[0]).language for row in ROWS} >= set(TABLES)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_page_of_sentences_is_true(row: tuple[str, ...]) -> None:
    assert told(understand(row[0])) == row[1:]


@pytest.mark.parametrize(
    "text",
    [
        "a dog at night", "a woman in a hurry", "a sign on fire", "a phone in his hand",  # no place of a thing
        "a man doing a trick on a skateboard",  # who is on it, or what?
        "a dog and it is next to it", "two cats next to each other", "left of", "next to a tree", "the left",
        "a dog. next to a tree", "red and blue", "dog, left of, cat", "on top of",
        "ein Hund in Bewegung", "un homme à la maison", "un perro de noche", "собака вночі",
        "狗在夜里", "上海", "中国人", "在",
    ],
)  # fmt: skip
def test_what_is_not_clear_gives_no_relation(text: str) -> None:
    assert understand(text).relations == ()


@pytest.mark.parametrize(
    ("text", "positive"),
    [
        ("a beach without people", "a beach"),
        ("a dog, but no cat, on a table", "a dog, on a table"),
        ("no people", ""),
        ("a street without people or cars", "a street"),
        ("two cats without dogs and a bird", "two cats and a bird"),
        ("a beach", "a beach"),
        ("ein Strand ohne Menschen", "ein Strand"),
        ("没有人的海滩", "海滩"),
        ("两只狗，没有汽车", "两只狗"),
        ("a no parking sign", "a no parking sign"),
    ],
)
def test_what_is_embedded_lacks_what_is_denied(text: str, positive: str) -> None:
    assert understand(text).positive == positive


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("a dog", "en"), ("the house", "en"), ("der Hund", "de"), ("grünes Auto", "de"), ("un chat noir", "fr"),
        ("un gato negro", "es"), ("l’été", "fr"), ("coche rojo", "es"), ("собака", "uk"), ("рыба", None), ("ёж", None),
        ("狗", "zh"), ("犬がいる", None), ("Xylophon", None), ("IMG_2041", None), ("", None),
        ("🐕", None), ("שלום", None),
    ],
)  # fmt: skip
def test_the_language_is_told_by_script_and_small_words(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_a_known_language_is_taken_at_its_word_and_one_without_a_table_is_not() -> None:
    assert understand("a dog", "de").language == "de"
    assert understand("a dog", "tlh").language == "en"


def test_without_a_language_commas_still_part_things() -> None:
    assert [thing.text for thing in understand("Xylophon, 3 Zzyzx").things] == ["Xylophon", "Zzyzx"]
    assert understand("Xylophon, 3 Zzyzx").things[1].count == 3


@pytest.mark.parametrize("code", TABLES)
def test_every_relation_place_and_size_is_said_in_every_language(code: str) -> None:
    table = TABLES[code]
    asked = TABLES["en"]
    assert set(table.places) == set(asked.places)
    assert set(table.extents) == set(asked.extents)
    wanted = set(asked.relations) - ({"with"} if code == "zh" else set())
    assert set(table.relations) >= wanted
    assert set(range(2, 11)) <= set(table.numbers.values())


@pytest.mark.parametrize("code", [code for code in TABLES if code != "zh"])
def test_each_phrase_of_a_relation_is_read_as_it(code: str) -> None:
    lexicon = lexicon_of(code)
    said = {entry.value for found in lexicon.entries.values() for entry in found if entry.kind == "relation"}
    assert said == set(TABLES[code].relations)


DAMAGED = {
    "white space": " \n\t ",
    "control characters": "a dog\x00left of\x07a tree",
    "a lone surrogate": "a \ud800 dog left of a tree",
    "only small words": "the a of on in the and or not",
    "nothing but negations": "without without no not",
    "nothing but commas": ",,,;;、，",
    "brackets": "((((((a dog)))))",
    "marks": "e\u0301\u0301 \u0301",
    "from right to left": "\u202ea dog left of כלב",
    "Chinese small words": "的在有没和上里左边" * 20,
    "long": "a dog left of a tree and " * (MAX_READ // 25),
    "longer than is read": "a dog left of a tree and " * MAX_READ,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("language", [None, *TABLES])
def test_damaged_text_is_read_as_far_as_it_goes(text: str, language: str | None) -> None:
    check(text, understand(text, language))


def test_text_too_long_for_a_sentence_is_left_whole() -> None:
    text = DAMAGED["longer than is read"]
    assert understand(text) == Sentence(text, text)


SMALL = st.sampled_from(
    "a the dog cats red without no left of next to in on and or , . two 3 ein Hund links von ohne und im Hintergrund un"
    " chat à gauche de d' sans et perro junto a sin y собака біля без і два 狗 在 左边 的 没有 一只 和 里 上 有".split()
)


@given(
    st.one_of(st.text(), st.lists(SMALL).map(" ".join), st.lists(SMALL).map("".join)), st.sampled_from([None, *TABLES])
)
def test_any_text_gives_pieces_that_stand_in_it(text: str, language: str | None) -> None:
    check(text, understand(text, language))


def check(text: str, sentence: Sentence) -> None:
    """Every piece stands where it says, and relations join things that are there."""
    assert sentence.text == text
    for thing in (*sentence.things, *sentence.without):
        assert 0 <= thing.span.start < thing.span.end <= len(text)
        written = text[thing.span.start : thing.span.end]
        assert thing.head in written
        at = 0
        for word in thing.text.split():
            at = written.index(word, at) + len(word)
        assert thing.count is None or 2 <= thing.count <= 10
    ordered = [thing.span.start for thing in sentence.things]
    assert ordered == sorted(ordered)
    for relation in sentence.relations:
        assert relation.subject != relation.object
        assert 0 <= min(relation.subject, relation.object) <= max(relation.subject, relation.object) < len(ordered)
