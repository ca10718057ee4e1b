"""Our tokens against the library's tokenizer, and the places that it does not know."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from transformers import M2M100Tokenizer

from vision.translation.vocabulary import Vocabulary

_SENTENCES = [
    "A red dog sits left of a tree in the snow.",
    "  two  blanks ",
    "Червоний собака сидить.",
    "一只红色的狗在树的左边。",
    "ﬁsh, １２ and ☃!",
]


@pytest.fixture(scope="module")
def vocabulary(translator_folder: Path) -> Vocabulary:
    return Vocabulary(translator_folder)


@pytest.fixture(scope="module")
def theirs(translator_folder: Path) -> M2M100Tokenizer:
    return M2M100Tokenizer.from_pretrained(translator_folder, local_files_only=True)


@pytest.mark.parametrize("text", _SENTENCES)
def test_ids_are_those_of_the_librarys_tokenizer(vocabulary: Vocabulary, theirs: M2M100Tokenizer, text: str):
    theirs.src_lang = "uk"
    framed = [vocabulary.language_id("uk"), *vocabulary.encode(text).ids, vocabulary.end]
    assert framed == theirs(text)["input_ids"]


def test_every_language_has_the_librarys_id(vocabulary: Vocabulary, theirs: M2M100Tokenizer):
    ours = {language: vocabulary.language_id(language) for language in vocabulary.languages}
    assert ours == {language: theirs.get_lang_id(language) for language in ours}
    assert max(ours.values()) == vocabulary.size - 1


@pytest.mark.parametrize("text", _SENTENCES)
def test_the_visible_letters_of_a_text_each_stand_in_one_place(vocabulary: Vocabulary, text: str):
    spans = [span for span in vocabulary.encode(text).spans if span is not None]
    assert "".join(text[span.start : span.end] for span in spans) == "".join(text.split())
    assert all(a.end <= b.start for a, b in pairwise(spans))


@pytest.mark.parametrize("text", [_SENTENCES[0], _SENTENCES[2], _SENTENCES[3]])
def test_known_text_comes_back_as_it_was_with_its_places(vocabulary: Vocabulary, text: str):
    ids = (vocabulary.language_id("en"), *vocabulary.encode(text).ids, vocabulary.end, vocabulary.pad)
    written, tokens = vocabulary.decode(ids)
    assert written == text
    assert [span for span in tokens.spans if span] == [span for span in vocabulary.encode(text).spans if span]


def test_frames_languages_and_rows_that_mean_nothing_write_nothing(vocabulary: Vocabulary):
    assert vocabulary.decode([*vocabulary.silent, vocabulary.end, vocabulary.size + 3])[0] == ""
