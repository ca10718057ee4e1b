"""Our reading and writing against the library's own forward and `generate`, one row at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vision.florence.captioner import Florence2Captioner
from vision.florence.engine import Engine, Question
from vision.florence.grammar import Form
from vision.florence.prompts import CAPTION_TASKS, describe_prompt, ground_prompt
from vision.grounding.base import Decoding
from vision.types import Box, RgbImage

# What the library is asked, and the words that it makes of it.
_ASKED = {
    "<CAPTION>": CAPTION_TASKS["<CAPTION>"],
    "<DETAILED_CAPTION>": CAPTION_TASKS["<DETAILED_CAPTION>"],
    "<MORE_DETAILED_CAPTION>": CAPTION_TASKS["<MORE_DETAILED_CAPTION>"],
    "<CAPTION_TO_PHRASE_GROUNDING>a red dog and a hat": ground_prompt("a red dog and a hat"),
    "<REGION_TO_DESCRIPTION><loc_100><loc_200><loc_300><loc_999>": describe_prompt(Box(0.1, 0.2, 0.3005, 1)),
}
_STEPS = 16
_FREE = Decoding(constrained=False)


@pytest.fixture(scope="module")
def engine(florence: Florence2Captioner) -> Engine:
    return florence._engine


@pytest.fixture(scope="module")
def rows(engine: Engine, pictures: list[RgbImage]) -> list[tuple[RgbImage, str, tuple[int, ...]]]:
    """Mixed prompts about mixed pictures: the picture, the library's prompt, our ids."""
    return [
        (pictures[number % len(pictures)], asked, engine.prompt_ids(words))
        for number, (asked, words) in enumerate(_ASKED.items())
    ]


def _latents(engine: Engine, images: Sequence[RgbImage]) -> Tensor:
    with torch.inference_mode():
        return engine.network.see(engine._pixels(images))


def _write(engine: Engine, rows: Any, decoding: Decoding) -> list[tuple[int, ...]]:
    questions = [Question(ids, Form.ANYTHING, _STEPS) for *_, ids in rows]
    with torch.inference_mode():
        latents = _latents(engine, [image for image, *_ in rows])
        return [one.tokens for one in engine.write(latents, range(len(rows)), questions, decoding)]


def _alone(reference: Any, rows: Any, **options: Any) -> list[tuple[int, ...]]:
    """What the library writes for each row by itself, behind `</s><s>` and up to the first end."""
    written = []
    for image, asked, _ in rows:
        ids = reference.generate(image, asked, max_new_tokens=_STEPS + 1, **options).sequences[0].tolist()
        assert ids[:2] == [2, 0]
        answer = ids[2:]
        written.append(tuple(answer[: answer.index(2) + 1] if 2 in answer else answer)[:_STEPS])
    return written


def test_prompts_are_those_of_the_models_own_processor(engine: Engine, rows: Any, reference: Any):
    for image, asked, ids in rows:
        expected = reference.inputs(image, asked)["input_ids"][0].tolist()
        assert expected == [expected[0]] * engine.facts.image_tokens + list(ids), asked


def test_pixels_are_those_of_the_models_own_processor(engine: Engine, reference: Any, pictures: list[RgbImage]):
    for image in pictures:
        expected = reference.inputs(image, "<CAPTION>")["pixel_values"]
        torch.testing.assert_close(engine._pixels([image]), expected, rtol=0, atol=0)


def test_what_is_seen_in_a_batch_is_what_the_library_sees_alone(
    engine: Engine, reference: Any, pictures: list[RgbImage]
):
    ours = _latents(engine, pictures)
    assert ours.shape == (len(pictures), engine.facts.image_tokens, 32)
    with torch.inference_mode():
        for row, image in zip(ours, pictures, strict=True):
            pixels = reference.inputs(image, "<CAPTION>")["pixel_values"]
            expected = reference.model.get_image_features(pixels).pooler_output[0]
            torch.testing.assert_close(row, expected, rtol=0, atol=1e-4)


def test_logits_of_mixed_prompts_in_one_batch_are_the_librarys_own(engine: Engine, rows: Any, reference: Any):
    answers = [engine.vocabulary.ids("a red dog"), engine.vocabulary.ids("it"), engine.vocabulary.ids("the hat is red")]
    answers = [(*answers[number % 3], 2) for number in range(len(rows))]
    with torch.inference_mode():
        latents = _latents(engine, [image for image, *_ in rows])
        ours = engine.network.read_answers(latents, range(len(rows)), [ids for *_, ids in rows], answers)
        for row, (image, asked, _), answer in zip(ours, rows, answers, strict=True):
            told = torch.tensor([[2, 0, *answer[:-1]]])
            expected = reference.model(**reference.inputs(image, asked), decoder_input_ids=told).logits[0, 1:]
            torch.testing.assert_close(row[: len(answer)], expected, rtol=0, atol=1e-4)


def test_greedy_tokens_of_a_mixed_batch_are_those_of_generate_one_by_one(engine: Engine, rows: Any, reference: Any):
    ours = _write(engine, rows, _FREE)
    assert ours == _alone(reference, rows, num_beams=1, forced_bos_token_id=0)
    assert len(set(ours)) == len(rows), "the answers differ, so a row taken for another would show"


@pytest.mark.parametrize(("beams", "penalty"), [(2, 1.0), (3, 1.0), (3, 0.0), (3, 2.0)])
def test_beams_are_those_of_generate(engine: Engine, rows: Any, reference: Any, beams: int, penalty: float):
    """From the same two tokens: a forced first token would count in the library's lengths, though never chosen."""
    ours = _write(engine, rows, Decoding(constrained=False, beams=beams, length_penalty=penalty))
    opening = torch.tensor([[2, 0]])
    expected = []
    for image, asked, _ in rows:
        written = reference.generate(
            image,
            asked,
            decoder_input_ids=opening,
            num_beams=beams,
            length_penalty=penalty,
            max_new_tokens=_STEPS,
            early_stopping=False,
        )
        answer = written.sequences[0].tolist()[2:]
        expected.append(tuple(answer[: answer.index(2) + 1] if 2 in answer else answer))
    assert ours == expected


def test_a_caption_repeats_no_three_tokens_as_generate_does_not(engine: Engine, rows: Any, reference: Any):
    """The grammar of captions is the library's ban of repeated triples, among words alone."""
    banned = [token for token in range(engine.network.width) if not engine.vocabulary.is_word(token) and token != 2]
    questions = [Question(ids, Form.WORDS, _STEPS) for *_, ids in rows]
    with torch.inference_mode():
        latents = _latents(engine, [image for image, *_ in rows])
        ours = [one.tokens for one in engine.write(latents, range(len(rows)), questions, Decoding())]
    options = {"num_beams": 1, "no_repeat_ngram_size": 3, "suppress_tokens": banned}
    expected = []
    for image, asked, _ in rows:
        written = reference.generate(
            image, asked, decoder_input_ids=torch.tensor([[2, 0]]), max_new_tokens=_STEPS, **options
        )
        answer = written.sequences[0].tolist()[2:]
        expected.append(tuple(answer[: answer.index(2) + 1] if 2 in answer else answer))
    assert ours == expected


def test_log_probabilities_are_the_librarys_before_any_rule(engine: Engine, rows: Any, reference: Any):
    questions = [Question(ids, Form.PHRASES, _STEPS) for *_, ids in rows]
    with torch.inference_mode():
        latents = _latents(engine, [image for image, *_ in rows])
        ours = engine.write(latents, range(len(rows)), questions, Decoding())
        for written, (image, asked, _) in zip(ours, rows, strict=True):
            told = torch.tensor([[2, 0, *written.tokens[:-1]]])
            logits = reference.model(**reference.inputs(image, asked), decoder_input_ids=told).logits[0, 1:]
            chances = logits.log_softmax(1).gather(1, torch.tensor(written.tokens)[:, None])[:, 0]
            np.testing.assert_allclose(written.log_probabilities, chances, atol=1e-4)


def test_rows_that_read_the_same_share_it_while_beams_change_places(engine: Engine, pictures: list[RgbImage]):
    with torch.inference_mode():
        latents = _latents(engine, pictures[:1])
        context = engine.network.read(latents, [0], [engine.prompt_ids("a")], room=4)
        three = context.select(torch.tensor([0, 0, 0]))
        turned = three.select(torch.tensor([2, 0, 1]))
        assert turned.seen is three.seen
        assert turned.past.cross_attention_cache is three.past.cross_attention_cache
        assert len(turned.select(torch.tensor([1])).seen) == 1
