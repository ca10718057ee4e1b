"""An exported Kosmos-2 against the weights that it was made from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.vision.grounding.conftest import save_captioner
from tests.vision.grounding.test_decoding import PROMPTS
from vision.errors import ModelError, ModelMissingError
from vision.export.captioner import CaptionParity, export_captioner
from vision.grounding.base import Decoding
from vision.grounding.decoding import Row, Sampling, write
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.registry import load_captioner
from vision.types import Box, RgbImage

_DECODING = Decoding(max_new_tokens=16)
_STEPS = 12


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_captioner(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def parities(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[CaptionParity]]:
    out = tmp_path_factory.mktemp("exported") / "tiny"
    return out, export_captioner(str(source), out, threads=1)


@pytest.fixture(scope="module")
def exported(parities: tuple[Path, list[CaptionParity]]) -> Path:
    return parities[0]


@pytest.fixture(scope="module")
def full(source: Path) -> Kosmos2Captioner:
    return Kosmos2Captioner(source, name="full", threads=1)


@pytest.fixture(scope="module")
def ours(exported: Path) -> Kosmos2Captioner:
    return Kosmos2Captioner(exported, name="ours", threads=1)


@pytest.fixture(scope="module")
def pictures() -> list[RgbImage]:
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (height, 30, 3)).astype(np.uint8) for height in (20, 30, 1)]


def test_the_export_says_how_faithful_it_is(parities: tuple[Path, list[CaptionParity]]):
    full, int8 = parities[1]
    assert (full.precision, int8.precision) == ("float32", "int8")
    assert full.worst_difference <= 1e-3
    assert full.same_choices == 1
    assert int8.cosine > 0.95


def test_mixed_prompts_have_the_logits_of_pytorch_behind_the_prompt_and_at_every_step(
    ours: Kosmos2Captioner, full: Kosmos2Captioner, pictures: list[RgbImage]
):
    ids = full._engine.vocabulary.prompt_ids(PROMPTS)
    shown = [number % len(pictures) for number in range(len(ids))]
    contexts = []
    with torch.inference_mode():
        for engine in (full._engine, ours._engine):
            latents = engine.reader.see(engine.pixels(pictures))
            contexts.append((engine.reader, engine.reader.read(latents, shown, ids, room=_STEPS)))
        for _ in range(_STEPS):
            expected, found = (context.logits for _, context in contexts)
            assert float((expected - found).abs().max()) <= 1e-3
            tokens = expected.argmax(1)
            for reader, context in contexts:
                reader.step(context, tokens)


@pytest.mark.parametrize("seed", [None, (3,)], ids=["greedy", "sampled"])
def test_the_same_tokens_are_written(
    ours: Kosmos2Captioner, full: Kosmos2Captioner, pictures: list[RgbImage], seed: tuple[int, ...] | None
):
    ids = full._engine.vocabulary.prompt_ids(PROMPTS)
    rows = [Row(number % 3, prompt, 4 + 3 * number, frozenset(), seed=seed) for number, prompt in enumerate(ids)]
    written = []
    with torch.inference_mode():
        for engine in (full._engine, ours._engine):
            latents = engine.reader.see(engine.pixels(pictures))
            written.append(write(engine.reader, latents, rows, grammar=None, sampling=Sampling()))
    assert [row.tokens for row in written[0]] == [row.tokens for row in written[1]]


def test_every_question_has_the_answer_of_pytorch(
    ours: Kosmos2Captioner, full: Kosmos2Captioner, pictures: list[RgbImage]
):
    questions: list[Callable[[Kosmos2Captioner], object]] = [
        lambda one: [caption.text for caption in one.caption(pictures, detail="detailed", decoding=_DECODING)],
        lambda one: [row[1].text for row in one.samples(pictures[:2], 2, seed=1, decoding=_DECODING)],
        lambda one: [caption.text for caption in one.caption(pictures[:1], decoding=Decoding(beams=2))],
        lambda one: [[region.box for region in row] for row in one.refer(pictures, ["red dog", "a", "dog"])],
        lambda one: [caption.text for caption in one.describe(pictures[:1], [Box(0.1, 0.2, 0.6, 0.7)])],
        lambda one: one.ask(pictures[:1], ["is it red?"])[0].text,
    ]
    for question in questions:
        assert question(ours) == question(full)
    texts = ["a red dog", "is", "an image of a dog"]
    scores = [one.score(pictures, texts).log_probability for one in (ours, full)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-2)


def test_constrained_boxes_are_boxes_in_int8_too(exported: Path, pictures: list[RgbImage]):
    int8 = load_captioner(str(exported), threads=1, precision="int8")
    regions = int8.refer(pictures, ["red dog", "a dog", "it"])
    assert all(row for row in regions)
    assert all(caption.dropped_boxes == 0 for caption in int8.caption(pictures, decoding=_DECODING))


def test_its_facts_say_what_computes_and_in_which_precision(exported: Path, full: Kosmos2Captioner):
    facts = [load_captioner(str(exported), threads=1, precision=precision).facts for precision in ("float32", "int8")]
    assert [(one.backend, one.precision) for one in facts] == [("onnx", "float32"), ("onnx", "int8")]
    assert len({one.identity for one in (*facts, full.facts)}) == 3
    assert (facts[0].languages, facts[0].preprocessing) == (full.facts.languages, full.facts.preprocessing)


@pytest.mark.parametrize("look", ["patch_tokens", "explain"])
def test_what_only_the_weights_can_show_is_refused(ours: Kosmos2Captioner, pictures: list[RgbImage], look: str):
    with pytest.raises(ModelError, match="neither patch tokens nor attention"):
        getattr(ours, look)(pictures[:1])


def test_a_precision_that_was_not_exported_is_missing_with_those_that_were(exported: Path, tmp_path: Path):
    folder = shutil.copytree(exported, tmp_path / "half")
    (folder / "onnx" / "decoder_int8.onnx").unlink()
    with pytest.raises(ModelMissingError, match=r"decoder_int8\.onnx is missing") as refusal:
        load_captioner(str(folder), threads=1, precision="int8")
    assert refusal.value.remedy == "This folder was exported in float32."


def _damage(folder: Path) -> None:
    (folder / "onnx" / "decoder.onnx").write_bytes(b"no graph")


def _remove_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize(
    ("change", "precision", "message"),
    [
        (_damage, "float32", "onnxruntime cannot load it"),
        (_remove_tokenizer, "float32", "tokenizer"),
        (lambda folder: None, "bfloat16", "an exported captioner does not compute in 'bfloat16'"),
    ],
)
def test_a_damaged_export_is_refused_by_the_name_of_its_damage(
    exported: Path, tmp_path: Path, change: Callable[[Path], None], precision: str, message: str
):
    folder = shutil.copytree(exported, tmp_path / "damaged")
    change(folder)
    with pytest.raises(ModelError, match=message):
        load_captioner(str(folder), threads=1, precision=precision)


def test_an_export_is_not_exported_again(exported: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="is an export already"):
        export_captioner(str(exported), tmp_path / "again", threads=1)
    assert not (tmp_path / "again").exists()


def test_a_precision_that_no_graph_has_is_refused_before_anything_is_loaded(tmp_path: Path):
    with pytest.raises(ModelError, match="an exported captioner does not compute in 'float16'"):
        export_captioner("/no/such/model", tmp_path / "out", precisions=["float16"])
