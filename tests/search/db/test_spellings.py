"""Words that were read are found with a letter or two wrong, and by nothing else, on both databases."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from search.db.schema import ReadSpelling, ReadWord
from search.db.spellings import add_words, distance, read_words, words_alike, wrong_letters
from search.library import Library

WORDS = (
    "no to bus stop sale exit open hotel house horse mouse museum station parking restaurant restauront platform"
    " breakfast pharmacy frühstück straße ausgang bicycles sidewalks skateboards 1924 192 19245 emergency abcdefgh"
).split()


def _alike(library: Library, wanted: Sequence[str]) -> dict[str, dict[str, int]]:
    with library.read() as session:
        return words_alike(session, wanted)


def _edited(rng: random.Random, word: str, times: int) -> str:
    letters = list(word)
    for _ in range(times):
        at = rng.randrange(len(letters))
        kind = rng.randrange(4)
        if kind == 0:
            letters.insert(at, rng.choice(string.ascii_lowercase))
        elif kind == 1 and len(letters) > 1:
            del letters[at]
        elif kind == 2 and at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
        else:
            letters[at] = rng.choice(string.ascii_lowercase)
    return "".join(letters)


def test_whatever_is_near_enough_is_found_and_nothing_else(library: Library) -> None:
    rng = random.Random(4)
    stored = sorted({word for body in WORDS for word in read_words(body)} | {_edited(rng, w, 1) for w in WORDS})
    with library.write() as session:
        add_words(session, stored)
    wanted = sorted({_edited(rng, rng.choice(stored), rng.randrange(3)) for _ in range(400)})
    wanted = [word for word in wanted if read_words(word) == [word]]
    held = {word for body in stored for word in read_words(body)}
    expected = {
        word: {
            other: wrong
            for other in held
            if (wrong := distance(word, other, wrong_letters(word))) <= wrong_letters(word)
        }
        for word in wanted
    }
    assert _alike(library, wanted) == expected
    assert sum(map(len, expected.values())) > 300


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [("morgan", "mogran", 1), ("hotel", "hotel", 0), ("hotel", "hote", 1), ("abc", "cab", 2), ("abcd", "dcba", 3)],
)
def test_a_swap_is_one_wrong_letter(one: str, other: str, wrong: int) -> None:
    assert distance(one, other, 2) == distance(other, one, 2) == min(wrong, 3)


@pytest.mark.parametrize(("word", "most"), [("bus", 0), ("stop", 1), ("parking", 1), ("platform", 2)])
def test_short_words_must_be_right(word: str, most: int) -> None:
    assert wrong_letters(word) == most


def test_words_are_kept_once_however_often_they_are_read(library: Library) -> None:
    with library.write() as session:
        add_words(session, ["No Parking", "PARKING"])
        add_words(session, ["parking no", "出口"])
    with library.read() as session:
        assert sorted(session.scalars(select(ReadWord.word))) == ["no", "parking"]
        before = session.scalar(select(func.count()).select_from(ReadSpelling))
    assert before is not None
    assert before < 40


def test_hostile_words_find_nothing_and_break_nothing(library: Library) -> None:
    with library.write() as session:
        add_words(session, ["hotel"])
    hostile = ["'; drop table read_words; --", "%", "_____", "x" * 5_000, "\U0001f415" * 9]
    assert all(not found for found in _alike(library, hostile).values())
    assert _alike(library, ["hotel"]) == {"hotel": {"hotel": 0}}
