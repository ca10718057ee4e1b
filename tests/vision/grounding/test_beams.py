"""Our beam search against the library's, one row at a time and without a cache."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from vision.grounding.base import Decoding
from vision.grounding.beams import BeamPlan, write_with_beams
from vision.grounding.decoding import Row
from vision.grounding.engine import Engine
from vision.grounding.grammar import BoxGrammar
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.types import RgbImage

PROMPTS = ["<grounding>An image of", "Question: is it a red dog? Answer:", "<grounding><phrase> a dog</phrase>"]


@pytest.fixture(scope="module")
def engine(captioner: Kosmos2Captioner) -> Engine:
    return captioner._engine


def _beams(engine: Engine, images: list[RgbImage], rows: list[Row], plan: BeamPlan) -> list[Any]:
    with torch.inference_mode():
        latents = engine.reader.see(engine.pixels(images))
        return write_with_beams(engine.reader, latents, rows, grammar=None, plan=plan)


@pytest.mark.parametrize(("beams", "penalty"), [(2, 1.0), (4, 1.0), (3, 0.0), (3, 2.0), (1, 1.0)])
def test_beams_of_a_mixed_batch_are_those_of_the_library(
    engine: Engine, reference: Any, pictures: list[RgbImage], beams: int, penalty: float
):
    ids = engine.vocabulary.prompt_ids(PROMPTS)
    # An end that the random model does like, so that beams finish early.
    ends = [_likely(reference, pictures[number], prompt) for number, prompt in enumerate(PROMPTS)]
    rows = [Row(number, ids[number], 12, frozenset({ends[number]})) for number in range(len(PROMPTS))]
    written = _beams(engine, pictures[: len(PROMPTS)], rows, BeamPlan(beams, penalty))
    for number, row in enumerate(written):
        output = reference.generate(
            pictures[number],
            PROMPTS[number],
            num_beams=beams,
            length_penalty=penalty,
            do_sample=False,
            max_new_tokens=12,
            eos_token_id=ends[number],
        )
        before = len(engine.vocabulary.prefix) + len(ids[number])
        expected = output.sequences[0][before:].tolist()
        assert list(row.tokens) == expected[: len(row.tokens)]
        assert all(token in (engine.vocabulary.pad, ends[number]) for token in expected[len(row.tokens) :])
        if beams > 1:
            score = sum(row.log_probabilities) / len(row.tokens) ** penalty
            assert score == pytest.approx(float(output.sequences_scores[0]), abs=1e-4)


def _likely(reference: Any, image: RgbImage, prompt: str) -> int:
    """The second choice at the third step, which beams reach and greedy does not."""
    output = reference.generate(image, prompt, max_new_tokens=3, do_sample=False, eos_token_id=-1)
    return int(output.logits[2][0].topk(2).indices[1])


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("prompt", [PROMPTS[0], PROMPTS[2]])
def test_constrained_beams_are_the_librarys_with_the_same_constraint(
    engine: Engine, reference: Any, pictures: list[RgbImage], beams: int, prompt: str
):
    grammar = BoxGrammar(engine.vocabulary, size=engine.reader.width, max_boxes_per_phrase=2)
    (ids,) = engine.vocabulary.prompt_ids([prompt])
    start = grammar.start(ids, tokens=20, boxes=3, points=True)
    end = engine.vocabulary.end
    with torch.inference_mode():
        latents = engine.reader.see(engine.pixels(pictures[:1]))
        (written,) = write_with_beams(
            engine.reader, latents, [Row(0, ids, 20, frozenset({end}), start)], grammar=grammar, plan=BeamPlan(beams)
        )
    before = len(engine.vocabulary.prefix) + len(ids)

    def allowed(_: int, so_far: torch.Tensor) -> list[int]:
        state = start
        for token in so_far[before:].tolist():
            state = grammar.advance(state, token)
        return grammar.allowed([state])[0].nonzero().flatten().tolist()

    output = reference.generate(
        pictures[0], prompt, num_beams=beams, do_sample=False, max_new_tokens=20, prefix_allowed_tokens_fn=allowed
    )
    assert list(written.tokens) == output.sequences[0][before:].tolist()[: len(written.tokens)]


def test_a_row_searches_alike_alone_and_in_company(engine: Engine, pictures: list[RgbImage]):
    ids = engine.vocabulary.prompt_ids(PROMPTS)
    rows = [Row(0, prompt, 10, frozenset({engine.vocabulary.end})) for prompt in ids]
    together = _beams(engine, pictures[:1], rows, BeamPlan(3))
    alone = [_beams(engine, pictures[:1], [row], BeamPlan(3))[0] for row in rows]
    assert [row.tokens for row in together] == [row.tokens for row in alone]


def test_captions_with_beams_are_well_formed(captioner: Kosmos2Captioner, pictures: list[RgbImage]):
    captions = captioner.caption(pictures, decoding=Decoding(max_new_tokens=40, beams=3))
    assert sum(caption.dropped_boxes for caption in captions) == 0
    assert len(captions) == len(pictures)
