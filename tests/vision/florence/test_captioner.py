"""Florence-2 behind the protocol: every method alone and in batches, what it refuses, and how it computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.vision.florence.conftest import NAMELESS
from vision.errors import DeixisError, ModelError
from vision.florence.captioner import Florence2Captioner
from vision.grounding.base import Decoding, GroundedCaption, GroundedCaptioner
from vision.grounding.errors import DecodingError, LanguageError, NoAnswersError, PromptError
from vision.types import Box, Region, RgbImage, Span

_SHORT = Decoding(max_new_tokens=10, max_boxes=3)
_BOX = Box(0.1, 0.2, 0.6, 0.9)
_IMAGE = np.full((30, 40, 3), 128, np.uint8)


def _same(ours: GroundedCaption, other: GroundedCaption) -> None:
    assert ours.text == other.text
    assert [(r.phrase, r.box, r.span) for r in ours.regions] == [(r.phrase, r.box, r.span) for r in other.regions]
    assert [r.score for r in ours.regions] == pytest.approx([r.score for r in other.regions], abs=1e-4)
    assert ours.log_probability == pytest.approx(other.log_probability, abs=1e-3)


def test_it_is_a_grounded_captioner(florence: Florence2Captioner):
    captioner: GroundedCaptioner = florence
    facts = captioner.facts
    assert (facts.grid, facts.image_px, facts.image_tokens, facts.languages) == (1000, 64, 5, ("en",))
    assert facts.preprocessing.resize == "exact"
    assert facts.preprocessing.crop_hw is None


@pytest.mark.parametrize("detail", ["brief", "detailed"])
def test_captions_of_a_batch_are_those_of_single_pictures(
    florence: Florence2Captioner, pictures: list[RgbImage], detail: Any
):
    together = florence.caption(pictures, detail=detail, decoding=_SHORT)
    assert len({caption.text for caption in together}) > 1
    for caption, image in zip(together, pictures, strict=True):
        _same(caption, florence.caption([image], detail=detail, decoding=_SHORT)[0])
        assert len(caption.regions) <= _SHORT.max_boxes
        for region in caption.regions:
            assert region.score is not None
            assert 0 <= region.score <= 1
            assert region.phrase not in NAMELESS
            if region.span is not None:
                assert caption.text[region.span.start : region.span.end] == region.phrase


def test_beams_find_the_same_in_a_batch_as_alone(florence: Florence2Captioner, pictures: list[RgbImage]):
    beams = Decoding(max_new_tokens=8, max_boxes=1, beams=3)
    for caption, image in zip(florence.caption(pictures, decoding=beams), pictures, strict=True):
        _same(caption, florence.caption([image], decoding=beams)[0])


def test_a_picture_is_looked_at_once_for_text_and_boxes(
    florence: Florence2Captioner, pictures: list[RgbImage], monkeypatch: pytest.MonkeyPatch
):
    looked: list[int] = []
    see = florence._engine.network.see

    def counting(pixels: torch.Tensor) -> torch.Tensor:
        looked.append(len(pixels))
        return see(pixels)

    monkeypatch.setattr(florence._engine.network, "see", counting)
    florence.caption([pictures[0], pictures[0]], decoding=_SHORT)
    florence.samples(pictures[:1], 3, seed=0, decoding=_SHORT)
    assert looked[0] == 1
    assert set(looked[1:]) == {1}


def test_written_freely_an_answer_has_words_and_counts_its_stray_places(
    florence: Florence2Captioner, pictures: list[RgbImage]
):
    free = Decoding(max_new_tokens=24, constrained=False, max_boxes=3)
    for caption in florence.caption(pictures, decoding=free):
        assert "<loc_" not in caption.text
        assert caption.text == " ".join(caption.text.split())


def test_samples_follow_from_their_seed_alone(florence: Florence2Captioner, pictures: list[RgbImage]):
    drawn = florence.samples(pictures, 3, seed=5, decoding=_SHORT)
    assert [len(row) for row in drawn] == [3, 3, 3]
    assert len({caption.text for row in drawn for caption in row}) > 3
    for row, image in zip(drawn, pictures, strict=True):
        for ours, alone in zip(row, florence.samples([image], 3, seed=5, decoding=_SHORT)[0], strict=True):
            _same(ours, alone)
    assert [c.text for c in florence.samples(pictures, 1, seed=6, decoding=_SHORT)[0]] != [drawn[0][0].text]


def test_phrases_are_found_in_order_with_their_places(florence: Florence2Captioner, pictures: list[RgbImage]):
    sentence = "a red dog and a hat"
    phrases = [["a hat", "a red dog"], [], ["dog"]]
    found = florence.ground(pictures, phrases, sentences=[sentence] * 3, decoding=_SHORT)
    assert not found[1]
    for regions, asked in zip(found, phrases, strict=True):
        assert sorted({region.phrase for region in regions}) == sorted(asked)
        for region in regions:
            assert region.span == Span(
                sentence.index(region.phrase), sentence.index(region.phrase) + len(region.phrase)
            )
    alone = florence.ground(pictures[:1], [["a red dog"]], sentences=[sentence], decoding=_SHORT)[0]
    assert [region.box for region in alone] == [r.box for r in found[0] if r.phrase == "a red dog"]
    assert florence.refer(pictures, ["dog"] * 3, decoding=_SHORT)[2][0].span is None


def test_a_phrase_that_is_asked_for_has_a_box_even_if_it_names_nothing(florence: Florence2Captioner):
    assert florence.refer([_IMAGE], [NAMELESS[0]])[0]


def test_no_more_boxes_are_found_than_allowed(florence: Florence2Captioner, pictures: list[RgbImage]):
    one = Decoding(max_boxes_per_phrase=1)
    assert [len(regions) for regions in florence.refer(pictures, ["a dog"] * 3, decoding=one)] == [1, 1, 1]


def test_freely_a_phrase_may_have_no_box(florence: Florence2Captioner, pictures: list[RgbImage]):
    found = florence.refer(pictures, ["a dog"] * 3, decoding=Decoding(max_new_tokens=8, constrained=False))
    assert all(region.phrase == "a dog" for regions in found for region in regions)


def test_a_description_is_of_the_box_asked_about(florence: Florence2Captioner, pictures: list[RgbImage]):
    boxes = [_BOX, Box(0, 0, 1e-9, 1e-9), Box(0, 0, 1, 1)]
    for caption, box, image in zip(florence.describe(pictures, boxes, decoding=_SHORT), boxes, pictures, strict=True):
        _same(caption, florence.describe([image], [box], decoding=_SHORT)[0])
        if caption.text:
            assert caption.regions[0].box == box
            assert caption.regions[0].span == Span(0, len(caption.text))


def test_scores_are_those_of_the_library(florence: Florence2Captioner, reference: Any, pictures: list[RgbImage]):
    texts = ["a red dog", "it", "the hat in the image"]
    for prompt, task in [(None, "<CAPTION>"), ("<MORE_DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>")]:
        ours = florence.score(pictures, texts, prompt=prompt)
        for number, (image, text) in enumerate(zip(pictures, texts, strict=True)):
            ids = [*florence._engine.vocabulary.ids(text), 2]
            with torch.inference_mode():
                told = torch.tensor([[2, 0, *ids[:-1]]])
                logits = reference.model(**reference.inputs(image, task), decoder_input_ids=told).logits[0, 1:]
            expected = float(logits.log_softmax(1).gather(1, torch.tensor(ids)[:, None]).sum())
            assert ours.log_probability[number] == pytest.approx(expected, abs=1e-3)
            assert ours.tokens[number] == len(ids)
            assert ours.per_token[number] == pytest.approx(expected / len(ids), abs=1e-3)


def test_questions_are_refused_with_what_to_do_instead(florence: Florence2Captioner):
    with pytest.raises(NoAnswersError, match="answers no questions") as refusal:
        florence.ask([_IMAGE], ["what is it?"])
    assert "kosmos2" in refusal.value.remedy


_REFUSED: dict[str, tuple[Callable[[Florence2Captioner], Any], type[DeixisError], str]] = {
    "another language": (lambda c: c.caption([_IMAGE], language="de"), LanguageError, "does not write 'de'"),
    "another detail": (lambda c: c.caption([_IMAGE], detail="long"), PromptError, "unknown detail"),
    "no samples": (lambda c: c.samples([_IMAGE], 0, seed=0), DecodingError, "count of at least 1"),
    "a negative seed": (lambda c: c.samples([_IMAGE], 1, seed=-1), DecodingError, "seed of at least 0"),
    "an empty phrase": (lambda c: c.ground([_IMAGE], [[" "]]), PromptError, "the phrase is empty"),
    "a place in a phrase": (lambda c: c.refer([_IMAGE], ["a <loc_5> dog"]), PromptError, "holds <loc_5>"),
    "an end in a phrase": (lambda c: c.refer([_IMAGE], ["a</s>"]), PromptError, "holds </s>"),
    "a picture in a sentence": (
        lambda c: c.ground([_IMAGE], [["dog"]], sentences=["dog <image>"]),
        PromptError,
        "the sentence holds <image>",
    ),
    "a phrase of another sentence": (
        lambda c: c.ground([_IMAGE], [["dog"]], sentences=["a hat"]),
        PromptError,
        "does not stand in its sentence",
    ),
    "one text for a list": (lambda c: c.ground([_IMAGE], ["dog"]), PromptError, "expected a list of phrases"),
    "too few boxes": (lambda c: c.describe([_IMAGE], []), PromptError, "1 images need as many boxes, got 0"),
    "a long phrase": (lambda c: c.refer([_IMAGE], ["dog " * 300]), PromptError, "tokens; beside a picture"),
    "a long text": (lambda c: c.score([_IMAGE], ["dog " * 300]), PromptError, "tokens; in an answer"),
    "an empty text": (lambda c: c.score([_IMAGE, _IMAGE], ["a", ""]), PromptError, "image 1: the text is empty"),
    "an empty prompt": (lambda c: c.score([_IMAGE], ["a"], prompt=""), PromptError, "the prompt is empty"),
    "a task with input": (
        lambda c: c.score([_IMAGE], ["a"], prompt="<od>"),
        PromptError,
        "the prompt holds <od>",
    ),
    "a grey picture": (lambda c: c.caption([_IMAGE[..., 0]]), ModelError, "image 0: expected an array"),
}


@pytest.mark.parametrize(("call", "error", "message"), _REFUSED.values(), ids=_REFUSED)
def test_what_cannot_be_put_to_the_model_is_refused(
    florence: Florence2Captioner, call: Callable[[Florence2Captioner], Any], error: type[DeixisError], message: str
):
    with pytest.raises(error, match=message):
        call(florence)


def test_nothing_is_answered_with_nothing(florence: Florence2Captioner):
    assert florence.caption([]) == []
    assert florence.samples([], 2, seed=0) == []
    assert florence.ground([], []) == []
    assert florence.describe([], []) == []
    assert florence.score([], []).tokens.shape == (0,)


@pytest.mark.parametrize("shape", [(1, 1, 3), (20000, 10, 3), (1, 3, 3)])
def test_a_picture_of_any_shape_is_answered(florence: Florence2Captioner, shape: tuple[int, int, int]):
    assert len(florence.caption([np.zeros(shape, np.uint8)], decoding=_SHORT)) == 1


def test_a_caption_as_long_as_the_room_still_has_its_places_asked_for(florence: Florence2Captioner):
    endless = Decoding(max_new_tokens=10_000, max_boxes=1)
    (caption,) = florence.caption([_IMAGE], decoding=endless)
    assert isinstance(caption.regions, tuple)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_other_precisions_say_nearly_the_same(florence_folder: Path, florence: Florence2Captioner, precision: str):
    other = Florence2Captioner(florence_folder, name="tiny", threads=1, precision=precision)
    assert other.facts.identity != florence.facts.identity
    ours, full = (model.score([_IMAGE], ["a red dog"]).per_token[0] for model in (other, florence))
    assert ours == pytest.approx(full, abs=0.3)
    regions: tuple[Region, ...] = other.refer([_IMAGE], ["a dog"])[0]
    assert regions
    assert other.caption([_IMAGE], decoding=_SHORT)[0].dropped_boxes >= 0
