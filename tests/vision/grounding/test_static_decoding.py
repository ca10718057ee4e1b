"""Steps in fixed buffers, which a CUDA graph replays, against ordinary steps; on the CPU, which computes them."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from tests.vision.grounding.test_decoding import PROMPTS
from vision.grounding.beams import BeamPlan, write_with_beams
from vision.grounding.decoding import Row, Sampling, write
from vision.grounding.engine import Engine
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.language import Context
from vision.grounding.static_decoding import StaticReader, StaticStep
from vision.types import RgbImage


@pytest.fixture(scope="module")
def engine(captioner: Kosmos2Captioner) -> Engine:
    return captioner._engine


@pytest.fixture
def static(engine: Engine) -> StaticReader:
    return StaticReader(engine.network, engine.vocabulary)


@pytest.fixture(scope="module")
def latents(engine: Engine, pictures: list[RgbImage]) -> torch.Tensor:
    with torch.inference_mode():
        return engine.reader.see(engine.pixels(pictures))


def _read(reader: StaticReader, engine: Engine, latents: torch.Tensor, prompts: list[str], room: int) -> Context:
    ids = engine.vocabulary.prompt_ids(prompts)
    return reader.read(latents, [number % len(latents) for number in range(len(ids))], ids, room=room)


@torch.inference_mode()
def test_steps_have_the_logits_of_ordinary_steps(engine: Engine, static: StaticReader, latents: torch.Tensor):
    plain = _read(engine.reader, engine, latents, PROMPTS, 12)
    fixed = _read(static, engine, latents, PROMPTS, 12)
    for _ in range(12):
        tokens = plain.logits.argmax(1)
        engine.reader.step(plain, tokens)
        static.step(fixed, tokens)
        assert float((plain.logits - fixed.logits).abs().max()) <= 1e-4


def _rows(engine: Engine, lengths: list[int]) -> list[Row]:
    ids = engine.vocabulary.prompt_ids(PROMPTS)
    return [Row(number % 4, ids[number % len(ids)], length, frozenset()) for number, length in enumerate(lengths)]


@pytest.mark.parametrize("seeded", [False, True])
@torch.inference_mode()
def test_rows_of_many_lengths_are_written_as_they_are_without_fixed_buffers(
    engine: Engine, static: StaticReader, latents: torch.Tensor, seeded: bool
):
    rows = _rows(engine, [3, 20, 1, 9, 2, 14, 5])
    if seeded:
        rows = [dataclasses.replace(row, seed=(number,)) for number, row in enumerate(rows)]
    expected = write(engine.reader, latents, rows, grammar=None, sampling=Sampling())
    written = write(static, latents, rows, grammar=None, sampling=Sampling())
    assert [row.tokens for row in written] == [row.tokens for row in expected]


@torch.inference_mode()
def test_beams_are_followed_as_they_are_without_fixed_buffers(
    engine: Engine, static: StaticReader, latents: torch.Tensor
):
    rows = _rows(engine, [8, 6])
    expected = write_with_beams(engine.reader, latents, rows, grammar=None, plan=BeamPlan(3))
    written = write_with_beams(static, latents, rows, grammar=None, plan=BeamPlan(3))
    assert [row.tokens for row in written] == [row.tokens for row in expected]


@torch.inference_mode()
def test_contexts_that_take_turns_in_the_buffers_do_not_disturb_each_other(
    engine: Engine, static: StaticReader, latents: torch.Tensor
):
    prompts = [PROMPTS[:2], PROMPTS[2:5]]
    plain = [_read(engine.reader, engine, latents, some, 80 * (number + 1)) for number, some in enumerate(prompts)]
    fixed = [_read(static, engine, latents, some, 80 * (number + 1)) for number, some in enumerate(prompts)]
    for _ in range(3):
        for ours, theirs in zip(fixed, plain, strict=True):
            tokens = theirs.logits.argmax(1)
            engine.reader.step(theirs, tokens)
            static.step(ours, tokens)
            assert float((ours.logits - theirs.logits).abs().max()) <= 1e-4


@torch.inference_mode()
def test_a_step_compiles_whole_and_once_which_is_what_a_graph_needs(
    engine: Engine, static: StaticReader, latents: torch.Tensor
):
    context = _read(static, engine, latents, PROMPTS[:2], 8)
    plain = _read(engine.reader, engine, latents, PROMPTS[:2], 8)
    step = static._settled(context)
    # Without the code generator, whose import warns of torch itself; docs/decisions/0012 says that it was run too.
    compiled = torch.compile(StaticStep.compute, fullgraph=True, dynamic=False, backend="aot_eager")

    def worst_difference() -> float:
        tokens = plain.logits.argmax(1)
        step.ids[:, 0] = tokens
        engine.reader.step(plain, tokens)
        return float((compiled(step) - plain.logits).abs().max())

    assert worst_difference() <= 1e-4
    with torch.compiler.set_stance("fail_on_recompile"):
        assert max(worst_difference() for _ in range(3)) <= 1e-4
