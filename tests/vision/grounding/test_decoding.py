"""Our decoder against the library's own `generate`, one row at a time and without a cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from vision.grounding.base import Decoding
from vision.grounding.decoding import Row, Sampling, draw_from_nucleus, log_probability_of, write
from vision.grounding.engine import Engine
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.types import RgbImage

PROMPTS = [
    "<grounding>An image of",
    "<grounding>Describe this image in detail:",
    "Question: is it a red dog? Answer:",
    "<grounding><phrase> a dog</phrase>",
    "<grounding><phrase> It</phrase><object><patch_index_0100><patch_index_0700></object> is",
    "<grounding>详细描述这张图片：",
]
_STEPS = 24


@pytest.fixture(scope="module")
def engine(captioner: Kosmos2Captioner) -> Engine:
    return captioner._engine


@pytest.fixture(scope="module")
def pairs(pictures: list[RgbImage]) -> list[tuple[RgbImage, str]]:
    """Mixed prompts about mixed pictures."""
    return [(pictures[number % len(pictures)], prompt) for number, prompt in enumerate(PROMPTS)]


@pytest.fixture(scope="module")
def alone(reference: Any, pairs: list[tuple[RgbImage, str]]) -> list[Any]:
    """What the library writes for each pair by itself."""
    return [
        reference.generate(image, prompt, max_new_tokens=_STEPS, do_sample=False, eos_token_id=-1)
        for image, prompt in pairs
    ]


def _ids(engine: Engine) -> list[tuple[int, ...]]:
    return engine.vocabulary.prompt_ids(PROMPTS)


def _new(output: Any) -> list[int]:
    return [int(token) for token in output.sequences[0][-len(output.logits) :]]


def test_prompts_become_the_ids_that_the_models_own_processor_makes(engine: Engine, reference: Any, pictures: Any):
    for ids, prompt in zip(_ids(engine), PROMPTS, strict=True):
        expected = reference.inputs(pictures[0], prompt)["input_ids"][0].tolist()
        assert [*engine.vocabulary.prefix, *ids] == expected


def test_pixels_are_those_of_the_models_own_processor(engine: Engine, reference: Any, pictures: list[RgbImage]):
    expected = torch.cat([reference.inputs(image, "x")["pixel_values"] for image in pictures])
    assert torch.equal(engine.pixels(pictures), expected)


def test_mixed_prompts_in_one_batch_have_the_logits_that_they_have_alone(
    engine: Engine, pairs: Sequence[tuple[RgbImage, str]], alone: Sequence[Any]
):
    worst = 0.0
    with torch.inference_mode():
        latents = engine.reader.see(engine.pixels([image for image, _ in pairs]))
        context = engine.reader.read(latents, range(len(pairs)), _ids(engine), room=_STEPS)
        for step in range(_STEPS):
            expected = torch.cat([output.logits[step] for output in alone])
            worst = max(worst, float((context.logits - expected).abs().max()))
            engine.reader.step(context, torch.tensor([_new(output)[step] for output in alone]))
    assert worst <= 1e-4


def test_greedy_tokens_of_a_mixed_batch_are_those_written_alone(
    engine: Engine, pairs: Sequence[tuple[RgbImage, str]], alone: Sequence[Any]
):
    rows = [Row(number, ids, _STEPS, frozenset()) for number, ids in enumerate(_ids(engine))]
    written = _write(engine, [image for image, _ in pairs], rows)
    assert [list(row.tokens) for row in written] == [_new(output) for output in alone]
    assert len({tuple(row.tokens) for row in written}) == len(rows)


def test_log_probabilities_are_those_of_the_reference(engine: Engine, pairs: Any, alone: Sequence[Any]):
    rows = [Row(number, ids, _STEPS, frozenset()) for number, ids in enumerate(_ids(engine))]
    written = _write(engine, [image for image, _ in pairs], rows)
    for row, output in zip(written, alone, strict=True):
        known = torch.cat(list(output.logits)).log_softmax(1)
        expected = known.gather(1, torch.tensor(_new(output))[:, None]).squeeze(1).tolist()
        assert row.log_probabilities == pytest.approx(expected, abs=1e-4)


def test_one_picture_with_many_prompts_is_read_once_and_answers_the_same(
    engine: Engine, reference: Any, pictures: list[RgbImage]
):
    rows = [Row(0, ids, _STEPS, frozenset()) for ids in _ids(engine)]
    written = _write(engine, pictures[:1], rows)
    expected = [
        _new(reference.generate(pictures[0], prompt, max_new_tokens=_STEPS, do_sample=False, eos_token_id=-1))
        for prompt in PROMPTS
    ]
    assert [list(row.tokens) for row in written] == expected


def test_a_row_that_stops_leaves_the_others_as_they_were(engine: Engine, pictures: list[RgbImage]):
    rows = [Row(0, ids, _STEPS, frozenset()) for ids in _ids(engine)]
    free = _write(engine, pictures[:1], rows)
    stops = [frozenset({row.tokens[number + 2]}) for number, row in enumerate(free)]
    stopped = _write(
        engine, pictures[:1], [Row(0, row.prompt, _STEPS, stop) for row, stop in zip(rows, stops, strict=True)]
    )
    for whole, part, stop in zip(free, stopped, stops, strict=True):
        assert part.complete
        assert part.tokens == whole.tokens[: len(part.tokens)]
        assert part.tokens[-1] in stop
        assert not stop & set(part.tokens[:-1])


def test_rows_may_have_limits_of_their_own(engine: Engine, pictures: list[RgbImage]):
    prompt = _ids(engine)[0]
    written = _write(engine, pictures[:1], [Row(0, prompt, limit, frozenset()) for limit in (1, 9, 5)])
    assert [len(row.tokens) for row in written] == [1, 9, 5]
    assert written[0].tokens == written[1].tokens[:1]
    assert not any(row.complete for row in written)


def _write(engine: Engine, images: list[RgbImage], rows: list[Row], sampling: Sampling | None = None) -> list[Any]:
    with torch.inference_mode():
        latents = engine.reader.see(engine.pixels(images))
        return write(engine.reader, latents, rows, grammar=None, sampling=sampling or Sampling())


def test_samples_equal_the_cacheless_reference_drawn_with_the_same_numbers(
    engine: Engine, reference: Any, pictures: list[RgbImage]
):
    sampling = Sampling(temperature=0.7, top_p=0.8)
    rows = [Row(0, _ids(engine)[0], 12, frozenset(), seed=(5, number)) for number in range(3)]
    written = _write(engine, pictures[:1], rows, sampling)
    inputs = reference.inputs(pictures[0], PROMPTS[0])
    for number, row in enumerate(written):
        assert list(row.tokens) == _drawn_alone(reference.model, inputs, (5, number), sampling)
    assert len({row.tokens for row in written}) == 3


def _drawn_alone(model: Any, inputs: dict[str, Any], seed: tuple[int, ...], sampling: Sampling) -> list[int]:
    import numpy as np

    random, ids, drawn = np.random.default_rng(seed), inputs["input_ids"], []
    for _ in range(12):
        slots = torch.zeros_like(ids)
        slots[:, : inputs["image_embeds_position_mask"].shape[1]] = inputs["image_embeds_position_mask"]
        with torch.inference_mode():
            logits = model(
                pixel_values=inputs["pixel_values"], input_ids=ids, image_embeds_position_mask=slots, use_cache=False
            ).logits[:, -1]
        drawn.append(int(draw_from_nucleus(logits, torch.tensor([random.random()], dtype=torch.float64), sampling)))
        ids = torch.cat([ids, torch.tensor([[drawn[-1]]])], dim=1)
    return drawn


def test_a_sample_does_not_depend_on_its_neighbours(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    decoding = Decoding(max_new_tokens=16)
    together = captioner.samples(pictures, 3, seed=7, decoding=decoding)
    apart = [captioner.samples([image], 3, seed=7, decoding=decoding)[0] for image in reversed(pictures)][::-1]
    assert [[caption.text for caption in row] for row in together] == [[c.text for c in row] for row in apart]
    assert captioner.samples(pictures, 1, seed=8, decoding=decoding)[0][0].text != together[0][0].text


@pytest.mark.parametrize(
    ("number", "top_p", "expected"),
    [(0.0, 1.0, 2), (0.49, 1.0, 2), (0.51, 1.0, 0), (0.81, 1.0, 1), (0.999, 1.0, 1), (0.99, 0.5, 2), (0.99, 0.6, 0)],
)
def test_the_nucleus_holds_the_fewest_tokens_that_reach_top_p(number: float, top_p: float, expected: int):
    logits = torch.tensor([[0.3, 0.2, 0.5, 0.0]]).log()
    drawn = draw_from_nucleus(logits, torch.tensor([number], dtype=torch.float64), Sampling(top_p=top_p))
    assert drawn.tolist() == [expected]


def test_the_log_probability_of_a_token_is_that_of_the_softmax():
    logits = torch.randn(4, 11, generator=torch.Generator().manual_seed(0)) * 9
    tokens = torch.tensor([0, 10, 5, 5])
    expected = logits.log_softmax(1)[torch.arange(4), tokens]
    assert torch.allclose(log_probability_of(logits, tokens), expected, atol=1e-6)


def test_nothing_to_write_is_nothing_written(engine: Engine):
    assert write(engine.reader, torch.zeros(0, 8, 32), [], grammar=None, sampling=Sampling()) == []
