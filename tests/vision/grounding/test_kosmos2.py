"""The captioner from outside: every question in order, every answer checked, every bad input named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vision.errors import ModelError
from vision.grounding.base import Decoding, GroundedCaption, GroundedCaptioner, Turn
from vision.grounding.engine import Engine
from vision.grounding.errors import DecodingError, LanguageError, PromptError
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.types import Box, Region, RgbImage, Span

_BRIEF = Decoding(max_new_tokens=24)
_IMAGE = np.full((30, 40, 3), 128, np.uint8)


def test_it_fulfils_the_protocol(captioner: Kosmos2Captioner):
    used: GroundedCaptioner = captioner
    assert used.facts.image_px == 28
    assert used.facts.grid == 32
    assert used.facts.languages == ("en", "de", "zh")
    assert used.facts.preprocessing.resize == "exact"
    assert used.facts.preprocessing.crop_hw is None


def test_captions_come_in_order_with_true_spans(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    captions = captioner.caption(pictures, decoding=_BRIEF)
    assert len({caption.text for caption in captions}) > 1
    for caption, image in zip(captions, pictures, strict=True):
        assert captioner.caption([image], decoding=_BRIEF)[0].text == caption.text
        _assert_consistent(caption)


def _assert_consistent(caption: GroundedCaption) -> None:
    assert caption.log_probability < 0
    for region in caption.regions:
        assert region.span is not None
        assert caption.text[region.span.start : region.span.end] == region.phrase
        assert region.score is not None
        assert 0 < region.score <= 1


def test_constrained_captions_drop_no_box_where_free_ones_do(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    free = captioner.caption(pictures, decoding=Decoding(max_new_tokens=60, constrained=False))
    ruled = captioner.caption(pictures, decoding=Decoding(max_new_tokens=60))
    assert sum(caption.dropped_boxes for caption in free) > 0
    assert sum(caption.dropped_boxes for caption in ruled) == 0


def test_detail_and_language_change_the_prompt_and_so_the_answer(captioner: Kosmos2Captioner):
    brief, detailed, german = (
        captioner.caption([_IMAGE], decoding=_BRIEF)[0],
        captioner.caption([_IMAGE], detail="detailed", decoding=_BRIEF)[0],
        captioner.caption([_IMAGE], language="de", decoding=_BRIEF)[0],
    )
    assert len({brief.text, detailed.text, german.text}) == 3
    assert german.language == "de"


def test_referring_finds_a_box_for_every_expression(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    found = captioner.refer(pictures, ["a red dog"] * len(pictures))
    assert all(len(regions) >= 1 for regions in found)
    assert {region.phrase for regions in found for region in regions} == {"a red dog"}
    assert all(region.span is None for regions in found for region in regions)


def test_phrases_are_found_picture_by_picture_in_their_order(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    phrases = [["dog", "it"], [], ["a red dog"], ["image"]]
    found = captioner.ground(pictures, phrases, decoding=Decoding(max_boxes_per_phrase=1))
    assert [[region.phrase for region in regions] for regions in found] == phrases


def test_a_phrase_in_its_sentence_keeps_its_span_and_reads_what_stands_before(captioner: Kosmos2Captioner):
    sentence = "a dog in a red image"
    (regions,) = captioner.ground([_IMAGE], [["a dog", "a red image"]], sentences=[sentence])
    assert {region.span for region in regions} == {Span(0, 5), Span(9, 20)}
    ((alone,),) = captioner.ground([_IMAGE], [["a red image"]], decoding=Decoding(max_boxes_per_phrase=1))
    assert alone.span is None
    assert alone.score != next(region for region in regions if region.span == Span(9, 20)).score


def test_describing_a_box_gives_that_box_its_words(captioner: Kosmos2Captioner):
    box = Box(0.1, 0.2, 0.6, 0.9)
    (caption,) = captioner.describe([_IMAGE], [box], decoding=_BRIEF)
    assert caption.regions[0].box == box
    assert caption.regions[0].phrase == caption.text
    (other,) = captioner.describe([_IMAGE], [Box(0.5, 0.5, 1, 1)], decoding=_BRIEF)
    assert other.log_probability != caption.log_probability


def test_a_follow_up_hears_what_was_said(captioner: Kosmos2Captioner):
    plain, told = captioner.ask([_IMAGE] * 2, ["is it?"] * 2, history=[[], [Turn("a dog?", "it is")]])
    assert plain.log_probability != told.log_probability
    assert "<object>" not in plain.text


def test_scores_are_those_of_the_reference(captioner: Kosmos2Captioner, reference: Any, pictures: list[RgbImage]):
    texts = ["a red dog", "it", "describe this image in detail", "一张图片"]
    scores = captioner.score(pictures, texts)
    for number, text in enumerate(texts):
        inputs = reference.inputs(pictures[number], f"<grounding>An image of {text}</s>")
        with torch.inference_mode():
            known = reference.model(**inputs).logits[0].log_softmax(1)
        count = int(scores.tokens[number])
        ids = inputs["input_ids"][0]
        expected = sum(float(known[place - 1, ids[place]]) for place in range(len(ids) - count, len(ids)))
        assert float(scores.log_probability[number]) == pytest.approx(expected, abs=1e-3)
        assert float(scores.per_token[number]) == pytest.approx(expected / count, abs=1e-3)


def test_no_images_give_no_answers(captioner: Kosmos2Captioner):
    assert captioner.caption([]) == []
    assert captioner.refer([], []) == []
    assert captioner.ground([], []) == []
    assert captioner.describe([], []) == []
    assert captioner.ask([], []) == []
    assert captioner.score([], []).log_probability.shape == (0,)
    assert captioner.samples([], 3, seed=0) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (10, 20000, 3), (20000, 10, 3), (28, 28, 3)])
def test_a_picture_of_any_shape_is_squashed_and_answered(captioner: Kosmos2Captioner, shape: tuple[int, int, int]):
    image = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    (regions,) = captioner.refer([image], ["a dog"])
    assert isinstance(regions[0], Region)


_LONG = "a dog " * 200

_BAD: list[tuple[str, Callable[[Kosmos2Captioner], object], type[Exception], str]] = [
    ("empty question", lambda c: c.ask([_IMAGE], [""]), PromptError, "question is empty"),
    ("tag in a question", lambda c: c.ask([_IMAGE], ["<object>?"]), PromptError, "holds <object>"),
    ("long question", lambda c: c.ask([_IMAGE], [_LONG]), PromptError, "reads at most"),
    ("long text", lambda c: c.score([_IMAGE], [_LONG]), PromptError, "reads at most"),
    ("empty text", lambda c: c.score([_IMAGE], [" "]), PromptError, "text is empty"),
    ("empty phrase", lambda c: c.ground([_IMAGE], [[""]]), PromptError, "phrase is empty"),
    ("phrase elsewhere", lambda c: c.ground([_IMAGE], [["x"]], sentences=["y"]), PromptError, "does not stand"),
    ("tag in an expression", lambda c: c.refer([_IMAGE], ["a</s>"]), PromptError, "holds </s>"),
    ("too few questions", lambda c: c.ask([_IMAGE], []), PromptError, "1 images need as many questions"),
    ("too few boxes", lambda c: c.describe([_IMAGE], []), PromptError, "as many box"),
    ("foreign language", lambda c: c.caption([_IMAGE], language="fr"), LanguageError, "does not write 'fr'"),
    ("grey picture", lambda c: c.caption([_IMAGE[..., 0]]), ModelError, "image 0: expected"),
    ("float picture", lambda c: c.caption([_IMAGE / 255]), ModelError, "float64"),
    ("empty picture", lambda c: c.caption([_IMAGE[:0]]), ModelError, "image 0"),
    ("no samples", lambda c: c.samples([_IMAGE], 0, seed=0), DecodingError, "at least 1"),
    ("bad seed", lambda c: c.samples([_IMAGE], 1, seed=-1), DecodingError, "seed"),
    ("no beams", lambda c: Decoding(beams=0), DecodingError, "beams must be at least 1"),
    ("no tokens", lambda c: Decoding(max_new_tokens=3), DecodingError, "max_new_tokens"),
    ("cold", lambda c: Decoding(temperature=0.0), DecodingError, "temperature"),
    ("no nucleus", lambda c: Decoding(top_p=1.5), DecodingError, "top_p"),
    ("nan penalty", lambda c: Decoding(length_penalty=float("nan")), DecodingError, "length_penalty"),
]


@pytest.mark.parametrize(("call", "error", "message"), [row[1:] for row in _BAD], ids=[row[0] for row in _BAD])
def test_bad_input_is_refused_by_name(
    captioner: Kosmos2Captioner, call: Callable[[Kosmos2Captioner], object], error: type[Exception], message: str
):
    with pytest.raises(error, match=message):
        call(captioner)


def test_a_batch_that_does_not_fit_is_halved_and_loses_no_picture(
    captioner: Kosmos2Captioner, pictures: list[RgbImage], caplog: pytest.LogCaptureFixture
):
    engine = Engine(
        Path(captioner.facts.location), name="tiny", revision=None, languages=None, threads=1, precision="float32"
    )
    sizes = []

    def work(latents: torch.Tensor, picture_of: Any, part: slice) -> list[int]:
        sizes.append(part.stop - part.start)
        if part.stop - part.start > 2:
            raise torch.OutOfMemoryError
        return list(range(part.start, part.stop))

    assert engine.in_batches(pictures * 2, work, tokens=9) == list(range(8))
    assert sizes == [2, 6, 3, 2, 2, 2]
    assert "did not fit into memory" in caplog.text
    sizes.clear()
    engine.in_batches(pictures, work, tokens=9)
    assert sizes == [2, 2]


def test_a_picture_given_several_times_is_looked_at_once(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    seen = []

    def work(latents: torch.Tensor, picture_of: Any, part: slice) -> list[int]:
        seen.append(len(latents))
        return list(picture_of)

    assert captioner._engine.in_batches([pictures[1], pictures[1]], work, tokens=9) == [0, 0]
    assert seen == [1]


def test_half_precision_writes_and_has_another_identity(captioner: Kosmos2Captioner, captioner_folder: Path):
    half = Kosmos2Captioner(captioner_folder, name="tiny", threads=1, precision="bfloat16")
    (caption,) = half.caption([_IMAGE], decoding=_BRIEF)
    _assert_consistent(caption)
    assert half.facts.identity != captioner.facts.identity
    full = captioner.score([_IMAGE], ["a red dog"])
    assert float(half.score([_IMAGE], ["a red dog"]).per_token[0]) == pytest.approx(float(full.per_token[0]), abs=0.3)


def test_name_and_place_are_no_part_of_the_identity(
    captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path
):
    copy = shutil.copytree(captioner_folder, tmp_path / "copy")
    again = Kosmos2Captioner(copy, name="other", threads=1)
    assert again.facts.identity == captioner.facts.identity
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "languages": ["en"]}))
    assert Kosmos2Captioner(copy, name="other", threads=1).facts.identity != captioner.facts.identity


def test_a_picture_that_does_not_fit_alone_is_named(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    def work(latents: torch.Tensor, picture_of: Any, part: slice) -> list[int]:
        if part.start <= 2 < part.stop:
            raise torch.OutOfMemoryError
        return list(range(part.start, part.stop))

    engine = Engine(
        Path(captioner.facts.location), name="tiny", revision=None, languages=None, threads=1, precision="float32"
    )
    with pytest.raises(ModelError, match="input 2 alone does not fit into memory"):
        engine.in_batches(pictures, work, tokens=9)


def test_threads_may_write_and_watch_at_once(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    expected = [caption.text for caption in captioner.caption(pictures, decoding=_BRIEF)]
    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(captioner.caption, pictures, decoding=_BRIEF) for _ in range(4)]
        watched = [pool.submit(captioner.explain, pictures[:1], decoding=_BRIEF) for _ in range(2)]
        assert all([caption.text for caption in one.result()] == expected for one in written)
        assert all(one.result()[0].caption.text == expected[0] for one in watched)
