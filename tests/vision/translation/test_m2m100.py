"""The batched translator against the library's own classes, one sentence at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import M2M100ForConditionalGeneration, M2M100Tokenizer

from vision.grounding.errors import LanguageError
from vision.translation.errors import TranslationError
from vision.translation.m2m100 import M2M100Translator

ENGLISH = ["A red dog.", "Two small boats and a lighthouse, at night.", "A tree in the snow"]
GERMAN = ["Ein roter Hund", "Baum im Schnee.", "links"]
# The reference writes at most as much as the model of these tests may: 64 tokens less the two that frame a sentence.
_ROOM = 62


class Reference:
    """The library's own tokenizer and model, one sentence at a time."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer = M2M100Tokenizer.from_pretrained(folder, local_files_only=True)
        self.model = M2M100ForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, attn_implementation="eager"
        ).eval()

    def translate(self, text: str, *, source: str, target: str, beams: int, silent: tuple[int, ...]) -> torch.Tensor:
        """Ids `(1, n)`: the start, the language, what was written."""
        self.tokenizer.src_lang = source
        first = [self.model.config.eos_token_id, self.tokenizer.get_lang_id(target)]
        written: torch.Tensor = self.model.generate(
            **self.tokenizer(text, return_tensors="pt"),
            decoder_input_ids=torch.tensor([first]),
            num_beams=beams,
            early_stopping=beams > 1,
            max_new_tokens=_ROOM,
            max_length=None,
            suppress_tokens=list(silent),
        )
        return written

    def text(self, written: torch.Tensor) -> str:
        return str(self.tokenizer.decode(written[0, 2:], skip_special_tokens=True)).strip()

    def log_probability(self, text: str, written: torch.Tensor, *, source: str) -> float:
        """Of everything behind the language, each token given those before it."""
        self.tokenizer.src_lang = source
        with torch.inference_mode():
            logits = self.model(**self.tokenizer(text, return_tensors="pt"), decoder_input_ids=written).logits[0, 1:-1]
        return float(logits.log_softmax(1).gather(1, written[0, 2:, None]).sum())


@pytest.fixture(scope="module")
def reference(translator_folder: Path) -> Reference:
    return Reference(translator_folder)


@pytest.mark.parametrize("beams", [1, 4])
def test_a_batch_equals_the_librarys_own_translation_of_each_sentence(
    translator_folder: Path, reference: Reference, beams: int
):
    translator = M2M100Translator(translator_folder, name="tiny", threads=1, beams=beams)
    silent = (*translator.vocabulary.silent, *range(translator.vocabulary.size, reference.model.config.vocab_size))
    ours = translator.translate(ENGLISH, source="en", target="de")
    theirs = [reference.translate(text, source="en", target="de", beams=beams, silent=silent) for text in ENGLISH]
    assert [one.text for one in ours] == [reference.text(ids) for ids in theirs]
    assert len({one.text for one in ours}) == len(ENGLISH)
    end = translator.vocabulary.end
    assert [one.complete for one in ours] == [end in ids[0, 2:].tolist() for ids in theirs]
    chances = [reference.log_probability(text, ids, source="en") for text, ids in zip(ENGLISH, theirs, strict=True)]
    np.testing.assert_allclose([one.log_probability for one in ours], chances, rtol=1e-4)


def test_what_is_written_depends_on_the_language_asked_for(translator: M2M100Translator):
    told = {language: translator.translate(ENGLISH, source="en", target=language) for language in ("de", "zh", "uk")}
    assert len({tuple(one.text for one in row) for row in told.values()}) == 3


def test_no_sentences_have_no_translations(translator: M2M100Translator):
    assert translator.translate([], source="en", target="de") == []
    assert translator.align([], [], source="en", target="de") == []


def test_a_tag_in_a_text_is_words_and_no_command(translator: M2M100Translator):
    tagged = translator.vocabulary.encode("A red dog.</s> __de__ <pad>")
    assert not {translator.vocabulary.end, translator.vocabulary.pad} & set(tagged.ids)
    assert not set(tagged.ids) & {translator.vocabulary.language_id("de")}


def test_each_row_of_an_alignment_shares_out_one_token(translator: M2M100Translator):
    for text, told, alignment in zip(
        ENGLISH, GERMAN, translator.align(ENGLISH, GERMAN, source="en", target="de"), strict=True
    ):
        assert alignment.weights.shape == (len(alignment.target), len(alignment.source))
        assert alignment.weights.dtype == np.float32
        assert alignment.weights.min() >= 0
        np.testing.assert_allclose(alignment.weights.sum(axis=1), 1.0, atol=1e-5)
        assert "".join(text[span.start : span.end] for span in alignment.source) == text.replace(" ", "")
        assert "".join(told[span.start : span.end] for span in alignment.target) == told.replace(" ", "")


def test_an_alignment_does_not_depend_on_its_neighbours(translator: M2M100Translator):
    together = translator.align(ENGLISH, GERMAN, source="en", target="de")
    for number, (text, told) in enumerate(zip(ENGLISH, GERMAN, strict=True)):
        (alone,) = translator.align([text], [told], source="en", target="de")
        np.testing.assert_allclose(together[number].weights, alone.weights, atol=1e-5)


def test_an_alignment_is_the_upper_layers_attention_of_the_step_that_writes_the_token(
    translator: M2M100Translator, reference: Reference
):
    reference.tokenizer.src_lang, reference.tokenizer.tgt_lang = "en", "de"
    inputs = reference.tokenizer(ENGLISH[0], text_target=GERMAN[0], return_tensors="pt")
    with torch.inference_mode():
        layers = reference.model(**inputs, output_attentions=True).cross_attentions
    # Of three layers the upper two. The library's decoder reads the end, the language (which writes the first word), …
    expected = torch.stack(layers[1:])[:, 0].mean(dim=(0, 1))[1:, 1:-1].numpy()
    before = [span is not None for span in translator.vocabulary.encode(ENGLISH[0]).spans]
    after = [span is not None for span in translator.vocabulary.encode(GERMAN[0]).spans]
    expected = expected[: len(after)][after][:, before]
    (ours,) = translator.align(ENGLISH[:1], GERMAN[:1], source="en", target="de")
    np.testing.assert_allclose(ours.weights, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize(
    ("texts", "source", "target", "error", "message"),
    [
        (["A dog."], "en", "tlh", LanguageError, "does not know the language 'tlh'"),
        (["A dog."], "xx", "en", LanguageError, "does not know the language 'xx'"),
        (["A dog."], "", "en", LanguageError, "does not know the language ''"),
        (["A dog."], "en", "EN", LanguageError, "does not know the language 'EN'"),
        (["A dog."], "en", "en", LanguageError, "needs no translation"),
        ([], "en", "en", LanguageError, "needs no translation"),
        (["A dog.", ""], "en", "de", TranslationError, "sentence 1 is empty"),
        ([" \n\t"], "en", "de", TranslationError, "sentence 0 is empty"),
        (["\x00\ud800"], "en", "de", TranslationError, "sentence 0 is empty"),
        (["dog " * 40], "en", "de", TranslationError, "reads at most 62"),
    ],
)
def test_what_cannot_be_translated_is_refused(
    translator: M2M100Translator, texts: list[str], source: str, target: str, error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        translator.translate(texts, source=source, target=target)


def test_the_refusal_of_a_language_names_those_that_can_be_served(translator: M2M100Translator):
    with pytest.raises(LanguageError) as caught:
        translator.translate(["A dog."], source="en", target="tlh")
    assert "af, am, ar" in caught.value.remedy


def test_as_many_translations_as_sentences_are_aligned(translator: M2M100Translator):
    with pytest.raises(TranslationError, match="2 sentences need as many translations, got 1"):
        translator.align(ENGLISH[:2], GERMAN[:1], source="en", target="de")


def test_letters_that_no_piece_has_do_not_stop_a_translation(translator: M2M100Translator):
    (one,) = translator.translate(["A ☃ dog \x00 ﬁsh 🦊"], source="en", target="de")
    assert "<unk>" not in one.text


def test_the_facts_name_what_changes_a_translation(translator: M2M100Translator, translator_folder: Path):
    greedy = M2M100Translator(translator_folder, name="other", threads=1, beams=1)
    again = M2M100Translator(translator_folder, name="other", threads=1)
    assert len(translator.facts.languages) == 100
    assert translator.facts.context_length == 64
    assert translator.facts.identity == again.facts.identity
    assert translator.facts.identity != greedy.facts.identity
