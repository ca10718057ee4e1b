"""Words of six languages, of names and of damaged text, as they are compared."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.words.folding import fold
from search.words.stems import stems
from search.words.stop import STOP_WORDS, stops
from search.words.terms import WORD_MOST, content, name_terms, terms


def words(text: str, *languages: str) -> list[str]:
    return [term.word for term in terms(text, languages or None)]


def meet(first: str, second: str, *languages: str) -> bool:
    """Whether a text of the one word is found by the other."""
    (left,), (right,) = terms(first, languages or None), terms(second, languages or None)
    return bool(set(left.keys) & set(right.keys))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A dog left of a bicycle", ["dog", "left", "bicycle"]),
        ("The dog's ball", ["dog", "ball"]),
        ("d'un arbre, l’homme et l'été", ["arbre", "homme", "ete"]),
        ("Die Straße mit Bäumen", ["strasse", "baumen"]),
        ("STRASSE ÇA Ångström ŁÓDŹ Æther", ["strasse", "ca", "angstrom", "lodz", "aether"]),
        ("м’яч м'яч МʼЯЧ й їжак", ["мяч", "мяч", "мяч", "їжак"]),
        ("dog dog cat dog", ["dog", "dog", "cat", "dog"]),
        ("IMG_2041", ["img", "2041"]),
        ("3.5 mm, f/2.8", ["3", "5", "mm", "f", "2", "8"]),
        ("ｆｕｌｌ ｗｉｄｔｈ ﬁsh", ["full", "width", "fish"]),
        ("co\u00adoperate", ["cooperate"]),
        ("हिन्दी की", ["हिन्दी", "की"]),
        ("to be or not to be", ["to", "be", "or", "not", "to", "be"]),
        ("a man and his son in a car, with a hat", ["man", "son", "car", "hat"]),
    ],
)
def test_content_words_are_folded_and_stop_words_left_out(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("两只猫", ["两只", "只猫"]),
        ("狗", ["狗"]),
        ("红色的汽车", ["红色", "汽车"]),
        ("黒い猫がいる", ["黒い", "い猫", "猫が", "がい", "いる"]),
        ("iphone手机2", ["iphone", "手机", "2"]),
        ("แมว", ["แม", "มว"]),
    ],
)
def test_scripts_without_blanks_are_pairs_of_characters(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_one_character_finds_the_texts_that_hold_it() -> None:
    (asked,) = terms("狗")
    told = [key for term in terms("一只狗在海滩上", ["zh"], indexed=True) for key in term.keys]
    assert asked.keys == ("狗",)
    assert told.count("狗") == 1
    assert all(len(term.keys) == 1 for term in terms("一只狗在海滩上"))


@pytest.mark.parametrize(
    ("first", "second", "language"),
    [
        ("dog", "dogs", "en"), ("running", "run", "en"), ("butterflies", "butterfly", "en"),
        ("Hund", "Hunde", "de"), ("Häuser", "Haus", "de"), ("Katzen", "Katze", "de"), ("roten", "rotes", "de"),
        ("chevaux", "cheval", "fr"), ("verte", "verts", "fr"), ("forêts", "foret", "fr"),
        ("árboles", "arbol", "es"), ("niñas", "niña", "es"), ("coches", "coche", "es"),
        ("собаки", "собакою", "uk"), ("кіт", "котів", "uk"), ("кіт", "кота", "uk"), ("жінок", "жінка", "uk"),
        ("будинку", "будинків", "uk"), ("червоний", "червоної", "uk"), ("синя", "синього", "uk"),
        ("човен", "човна", "uk"), ("дерева", "дерево", "uk"), ("квіток", "квітка", "uk"), ("корів", "корова", "uk"),
    ],
)  # fmt: skip
def test_forms_of_a_word_find_each_other_whether_or_not_the_language_is_known(
    first: str, second: str, language: str
) -> None:
    assert meet(first, second, language)
    assert meet(first, second)


@pytest.mark.parametrize(
    ("first", "second"), [("dog", "cat"), ("car", "cat"), ("rot", "Rost"), ("стіл", "стілець"), ("собака", "сова")]
)
def test_different_words_do_not(first: str, second: str) -> None:
    assert not meet(first, second)


def test_the_surface_form_is_the_first_key_and_no_key_comes_twice() -> None:
    for term in terms("Die Häuser, the houses, les châteaux, árboles, будинки"):
        assert term.keys[0] == term.word
        assert len(set(term.keys)) == len(term.keys)


def test_a_language_without_a_stemmer_or_stop_words_keeps_its_words() -> None:
    assert terms("the dogs", ["xx"])[1].keys == ("dogs",)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_2041.JPG", ["img", "2041", "jpg", "img2041"]),
        ("beachParty2-final.png", ["beach", "party", "2", "final", "png", "beachparty2final"]),
        ("HTMLReader", ["html", "reader", "htmlreader"]),
        ("dsc00012", ["dsc", "00012", "dsc00012"]),
        ("Ferien am Meer", ["ferien", "meer", "ferienammeer"]),
        ("dog", ["dog"]),
        ("猫2.png", ["猫", "2", "png"]),
        ("", []),
        (".", []),
    ],
)
def test_names_are_taken_apart_and_kept_whole(name: str, expected: list[str]) -> None:
    assert [term.word for term in name_terms(name)] == expected


def test_a_number_is_found_without_its_zeros() -> None:
    assert meet("0042", "42")


MALFORMED = {
    "nothing": "",
    "control characters": "\x00\x07\x1b[31m",
    "a lone surrogate": "\ud800 dog \udfff",
    "one letter a million times": "a" * 1_000_000,
    "one character a million times": "猫" * 1_000_000,
    "marks without letters": "\u0301" * 100_000,
    "a letter under a heap of marks": "e" + "\u0301" * 100_000,
    "apostrophes": "'" * 100_000 + "’a" * 1000,
    "a word that grows when it is folded": "\ufdfa" * 10_000,
    "text from right to left": "\u202eكلب שָׁלוֹם",
    "emoji": "🐕‍🦺👩🏽‍🚀",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_damaged_text_gives_words_of_bounded_length(text: str) -> None:
    for term in terms(text):
        assert 0 < len(term.word) <= 4 * WORD_MOST
        assert term.keys[0] == term.word


def test_words_around_damage_are_found() -> None:
    assert words("\ud800 dog\x00cat") == ["dog", "cat"]


@given(st.text(), st.sampled_from([None, ("en",), ("uk", "ru"), ("zh",), ("de", "xx")]))
def test_any_text_gives_terms_and_folding_again_changes_nothing(text: str, languages: tuple[str, ...] | None) -> None:
    for term in terms(text, languages):
        assert term.word == term.keys[0]
        assert all(term.keys)
    assert fold(fold(text)) == fold(text)
    assert content(text, languages) == {term.word for term in terms(text, languages)}


@given(st.text(), st.text())
def test_a_query_typed_word_for_word_has_the_keys_of_its_text(text: str, more: str) -> None:
    asked = {term.word for term in terms(text)}
    told = {key for term in terms(text + " " + more, indexed=True) for key in term.keys}
    assert asked <= told or asked <= stops(
        None
    )  # a text of nothing but stop words keeps them, and a longer one does not


def test_stop_words_are_folded_already() -> None:
    assert all(fold(word) == word for listed in STOP_WORDS.values() for word in listed)


def test_the_stemmers_are_loaded_only_where_a_word_is_stemmed() -> None:
    code = "import sys, search.words.terms; sys.exit('snowballstemmer' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_threads_do_not_stem_each_other_s_words() -> None:
    together = ["generalisations", "continuellement", "aufgegessene", "nacionalidades", "houses", "chantaient"] * 50
    expected = [stems(word, None) for word in together]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: [stems(word, None) for word in together], range(8)))
    finally:
        sys.setswitchinterval(before)
    assert found == [expected] * 8
