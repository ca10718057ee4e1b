"""A small Kosmos-2 behind a small M2M100: which language goes which way, and what can be served."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.vision.grounding.conftest import save_captioner
from tests.vision.translation.conftest import Wordbook
from vision.grounding.base import Decoding, GroundedCaptioner, Turn
from vision.grounding.errors import LanguageError, PromptError
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.translation.captioner import TranslatingCaptioner, in_language
from vision.translation.m2m100 import M2M100Translator
from vision.translation.realign import translate_captions, translate_texts
from vision.types import Box, RgbImage

_SHORT = Decoding(max_new_tokens=24)


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> Kosmos2Captioner:
    """Speaks English, German and Chinese."""
    return Kosmos2Captioner(save_captioner(tmp_path_factory.mktemp("captioner")), name="tiny", threads=1)


@pytest.fixture(scope="module")
def both(captioner: Kosmos2Captioner, translator: M2M100Translator) -> TranslatingCaptioner:
    return TranslatingCaptioner(captioner, translator)


@pytest.fixture(scope="module")
def pictures() -> list[RgbImage]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (30, 40, 3)).astype(np.uint8) for _ in range(2)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_language_that_the_captioner_writes_goes_straight_to_it(
    both: TranslatingCaptioner, captioner: Kosmos2Captioner, pictures: list[RgbImage], language: str
):
    asked = {"language": language, "decoding": _SHORT}
    assert both.caption(pictures, **asked) == captioner.caption(pictures, **asked)
    assert both.samples(pictures, 2, seed=1, **asked) == captioner.samples(pictures, 2, seed=1, **asked)
    assert both.ask(pictures, ["is it red", "a dog"], **asked) == captioner.ask(
        pictures, ["is it red", "a dog"], decoding=_SHORT
    )


def test_any_other_language_is_the_first_ones_caption_translated(
    both: TranslatingCaptioner, captioner: Kosmos2Captioner, translator: M2M100Translator, pictures: list[RgbImage]
):
    written = captioner.caption(pictures, detail="detailed", decoding=_SHORT)
    told = both.caption(pictures, detail="detailed", language="it", decoding=_SHORT)
    assert told == translate_captions(translator, written, target="it")
    assert [one.language for one in told] == ["it", "it"]


def test_samples_stay_with_their_pictures(
    both: TranslatingCaptioner, captioner: Kosmos2Captioner, translator: M2M100Translator, pictures: list[RgbImage]
):
    drawn = captioner.samples(pictures, 2, seed=3, decoding=_SHORT)
    told = both.samples(pictures, 2, seed=3, language="it", decoding=_SHORT)
    assert told == [translate_captions(translator, row, target="it") for row in drawn]


def test_a_question_is_put_in_the_first_language_and_answered_in_its_own(
    both: TranslatingCaptioner, captioner: Kosmos2Captioner, translator: M2M100Translator, pictures: list[RgbImage]
):
    questions = ["un chien rouge", "un arbre"]
    history = [[Turn("chien", "rouge")], []]
    english = [one.text for one in translate_texts(translator, questions, source="fr", target="en")]
    turn = Turn(*(one.text for one in translate_texts(translator, ["chien", "rouge"], source="fr", target="en")))
    expected = captioner.ask(pictures, english, history=[[turn], []], decoding=_SHORT)
    back = translate_texts(translator, [one.text for one in expected], source="en", target="fr")
    told = both.ask(pictures, questions, history=history, decoding=_SHORT, language="fr")
    assert [one.text for one in told] == [one.text for one in back]
    assert told[0].log_probability == pytest.approx(expected[0].log_probability + back[0].log_probability)


def test_phrases_are_looked_for_in_the_first_language_and_named_in_their_own(
    captioner: Kosmos2Captioner, pictures: list[RgbImage]
):
    both = TranslatingCaptioner(captioner, Wordbook({"red": "rouge", "dog": "chien", "a": "un"}))
    phrases, sentences = [["chien", "un chien"], ["rouge"]], ["un chien", "chien rouge"]
    found = both.ground(pictures, phrases, sentences=sentences, decoding=_SHORT, language="fr")
    plain = captioner.ground(pictures, [["dog.", "a dog."], ["red."]], decoding=_SHORT)
    assert [[region.box for region in row] for row in found] == [[region.box for region in row] for row in plain]
    assert {region.phrase for row in found for region in row} == {"chien", "un chien", "rouge"}
    for row, sentence in zip(found, sentences, strict=True):
        for region in row:
            assert region.span is not None
            assert sentence[region.span.start : region.span.end] == region.phrase
    referred = both.refer(pictures, ["chien", "rouge"], decoding=_SHORT, language="fr")
    assert [region.box for region in referred[0]] == [
        region.box for region in captioner.refer(pictures, ["dog.", "red."], decoding=_SHORT)[0]
    ]
    assert {region.phrase for region in referred[0]} == {"chien"}


def test_what_is_in_a_box_keeps_its_box(both: TranslatingCaptioner, pictures: list[RgbImage]):
    boxes = [Box(0.1, 0.2, 0.6, 0.7), Box(0, 0, 1, 1)]
    for one, box in zip(both.describe(pictures, boxes, decoding=_SHORT, language="it"), boxes, strict=True):
        assert one.language == "it"
        assert box in [region.box for region in one.regions]
        if one.text:
            assert (one.regions[0].phrase, one.regions[0].box) == (one.text, box)


def test_scores_are_of_the_text_as_it_stands(
    both: TranslatingCaptioner, captioner: Kosmos2Captioner, pictures: list[RgbImage]
):
    ours, theirs = both.score(pictures, ["a dog", "red"]), captioner.score(pictures, ["a dog", "red"])
    np.testing.assert_array_equal(ours.log_probability, theirs.log_probability)


def test_the_facts_join_both_languages_and_change_with_either(
    both: TranslatingCaptioner, captioner: Kosmos2Captioner, translator_folder: Path
):
    assert both.facts.languages[:3] == captioner.facts.languages
    assert len(both.facts.languages) == len(set(both.facts.languages)) == 100
    assert both.facts.name == "tiny+tiny"
    greedy = M2M100Translator(translator_folder, name="tiny", threads=1, beams=1)
    identities = {both.facts.identity, captioner.facts.identity}
    assert len(identities | {TranslatingCaptioner(captioner, greedy).facts.identity}) == 3


def test_the_batches_reported_are_the_captioners(both: TranslatingCaptioner, captioner: Kosmos2Captioner):
    assert both.picture_batches is captioner.picture_batches


@pytest.mark.parametrize("language", ["tlh", "", "EN"])
def test_a_language_of_neither_is_refused_with_those_that_can_be_served(
    both: TranslatingCaptioner, pictures: list[RgbImage], language: str
):
    for refused in (
        lambda: both.caption(pictures, language=language),
        lambda: both.samples(pictures, 1, seed=0, language=language),
        lambda: both.ask(pictures, ["a", "b"], language=language),
        lambda: both.describe(pictures, [Box(0, 0, 1, 1)] * 2, language=language),
        lambda: both.refer(pictures, ["a", "b"], language=language),
        lambda: both.ground(pictures, [["a"], ["b"]], language=language),
    ):
        with pytest.raises(LanguageError, match="neither tiny nor tiny knows") as caught:
            refused()
        assert "Together they know en, de, zh, af" in caught.value.remedy


@pytest.mark.parametrize("question", ["", "  ", "<phrase> chien"])
def test_a_question_that_cannot_be_put_is_refused_before_it_is_translated(
    both: TranslatingCaptioner, pictures: list[RgbImage], question: str
):
    with pytest.raises(PromptError):
        both.ask(pictures[:1], [question], language="fr")


def test_another_number_of_phrases_than_pictures_is_refused(both: TranslatingCaptioner, pictures: list[RgbImage]):
    with pytest.raises(PromptError):
        both.ground(pictures, [["chien"]], language="fr")
    with pytest.raises(PromptError):
        both.ground(pictures, [["chien"], []], sentences=["un chien"], language="fr")


def test_a_translator_that_does_not_know_the_captioner_is_refused(captioner: Kosmos2Captioner):
    class Foreign(Wordbook):
        facts = Wordbook.facts.__class__("foreign", "list", "0", "float32", 99, ("fr", "it"), "", "")

    with pytest.raises(LanguageError, match="foreign does not translate from 'en'"):
        TranslatingCaptioner(captioner, Foreign({}))


def test_a_captioner_that_writes_the_language_needs_no_translator(captioner: GroundedCaptioner):
    assert in_language(captioner, None, translator=None) is captioner
    assert in_language(captioner, "zh", translator="nowhere") is captioner


def test_without_a_translator_the_remedy_names_one(captioner: GroundedCaptioner):
    with pytest.raises(LanguageError, match="tiny does not write 'it'") as caught:
        in_language(captioner, "it", translator=None)
    assert "It writes en, de, zh." in caught.value.remedy
    assert "--translator m2m100" in caught.value.remedy


def test_a_translator_is_loaded_for_a_language_that_it_knows(captioner: GroundedCaptioner, translator_folder: Path):
    assert in_language(captioner, "it", translator=str(translator_folder), threads=1).facts.languages[0] == "en"
    with pytest.raises(LanguageError, match="knows 'tlh'"):
        in_language(captioner, "tlh", translator=str(translator_folder), threads=1)
