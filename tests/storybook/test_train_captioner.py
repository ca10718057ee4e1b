"""The captioner's training at toy scale: packed segments are exact, it learns, resumes, and its folder writes boxes."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import CLIPModel, Kosmos2ForConditionalGeneration, Kosmos2Processor

from storybook.captioner_model import (
    CaptionerSettings,
    build_captioner,
    first_location,
    language_modules,
    look_at_patches,
    prefix_ids,
    read_packed,
    see,
)
from storybook.data import SceneStore
from storybook.encoder_model import EncoderSettings, build_encoder, normalise, save_encoder
from storybook.evaluate_captioner import evaluate_captioner, kinds_named
from storybook.sentences import all_captions
from storybook.tasks import BRIEF, DETAILED_IN, SceneTasks, located, spoken
from storybook.tokenizers import train_captioner_processor, train_encoder_tokenizer
from storybook.train import TrainingPlan, prepare, train_captioner
from storybook.train_captioner import Packer, blurred_locations
from vision.grounding.registry import load_captioner
from vision.types import Box

_EYES = EncoderSettings(
    image_px=32, patch_px=8, width=32, layers=1, heads=2, text_width=32, text_layers=1, text_heads=2, dim=16
)
_TINY = CaptionerSettings(width=32, layers=2, heads=2, vocabulary=600)


def _quiet(line: str) -> None:
    """A report that nobody reads."""


@pytest.fixture(scope="module")
def eyes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained dual encoder's folder."""
    folder = tmp_path_factory.mktemp("eyes")
    tokenizer = train_encoder_tokenizer(["a red dog", "two blue cats"], vocabulary=100)
    torch.manual_seed(0)
    save_encoder(build_encoder(_EYES, vocabulary=tokenizer.get_vocab_size()), tokenizer, _EYES, folder)
    return folder


@pytest.fixture(scope="module")
def processor(tiny_store: SceneStore) -> Kosmos2Processor:
    return train_captioner_processor(list(spoken(tiny_store.scenes)), vocabulary=600, image_px=32)


@pytest.fixture(scope="module")
def model(eyes: Path, processor: Kosmos2Processor) -> Kosmos2ForConditionalGeneration:
    torch.manual_seed(0)
    return build_captioner(_TINY, CLIPModel.from_pretrained(eyes, dtype=torch.float32), processor).eval()


def _plan(cache: Path, eyes: Path, folder: Path, *, until: int | None = None) -> TrainingPlan:
    return TrainingPlan(
        model="captioner",
        cache=cache,
        run=folder / "run",
        out=folder / "out",
        encoder=eyes,
        scenes=24,
        steps=20,
        batch=6,
        rate=3e-3,
        save_every=10,
        until=until,
        encoder_settings=_EYES,
        captioner_settings=_TINY,
    )


@pytest.fixture(scope="module")
def trained(scene_cache: Path, tiny_store: SceneStore, eyes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of twenty steps."""
    folder = tmp_path_factory.mktemp("captioner")
    plan = _plan(scene_cache, eyes, folder)
    prepare(plan, _quiet)
    train_captioner(plan, _quiet)
    return folder


def test_the_vision_tower_is_the_encoders_weight_for_weight(model: Kosmos2ForConditionalGeneration, eyes: Path) -> None:
    tower = CLIPModel.from_pretrained(eyes, dtype=torch.float32).vision_model.state_dict()
    for name, value in tower.items():
        assert torch.equal(model.vision_model.state_dict()[f"model.{name}"], value), name


def test_a_packed_segment_reads_as_if_it_stood_alone(
    model: Kosmos2ForConditionalGeneration, processor: Kosmos2Processor, tiny_store: SceneStore
) -> None:
    scene = tiny_store.scenes[0]
    exchanges = SceneTasks().exchanges(scene, np.random.default_rng(0))[:4]
    pixels = normalise(tiny_store.pictures([0]))
    packed = Packer(processor, 500).pack([exchanges])
    with torch.inference_mode():
        together = read_packed(model, see(model, pixels), packed)
        at = 0
        for prompt, answer in exchanges:
            ids = [*prefix_ids(processor), *processor.tokenizer(prompt + answer, add_special_tokens=False)["input_ids"]]
            answered = (
                len(ids)
                + 1
                - len(prefix_ids(processor))
                - len(processor.tokenizer(prompt, add_special_tokens=False)["input_ids"])
            )
            slots = torch.zeros(1, len(ids), dtype=torch.long)
            slots[:, 2:66] = 1
            alone = model(
                pixel_values=pixels,
                input_ids=torch.tensor([ids]),
                attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                image_embeds_position_mask=slots,
            ).logits[0, -answered:]
            assert torch.allclose(together[at : at + answered], alone, atol=2e-4)
            at += answered
    assert at == len(together)


def test_the_prefix_is_the_processors_own(processor: Kosmos2Processor, tiny_store: SceneStore) -> None:
    inputs = processor(text=BRIEF, images=[tiny_store.pictures([0])[0]], return_tensors="pt")
    assert inputs["input_ids"][0, :67].tolist() == prefix_ids(processor)
    assert inputs["image_embeds_position_mask"][0].nonzero().flatten().tolist() == list(range(2, 66))
    assert inputs["pixel_values"].shape == (1, 3, 32, 32)


def test_answers_read_back_to_the_captions_phrases_and_boxes(
    processor: Kosmos2Processor, tiny_store: SceneStore
) -> None:
    tasks = SceneTasks()
    for scene in tiny_store.scenes:
        for language, prompts in (("en", DETAILED_IN), ("de", DETAILED_IN), ("zh", DETAILED_IN)):
            caption = all_captions(scene, language, 1)[2]
            prompt, answer = tasks._caption(scene, caption, prompts)
            text, entities = processor.post_process_generation(prompt + answer)
            assert text.endswith(caption.text) or language == "zh"
            assert [entity[0] for entity in entities] == [caption.text[s.start : s.end] for s, _ in caption.phrases]
            for (_, _, boxes), (_, indexes) in zip(entities, caption.phrases, strict=True):
                for box, index in zip(boxes, indexes, strict=True):
                    assert box == pytest.approx(scene.things[index].box.as_xyxy(), abs=1 / 16)


def test_only_answers_are_learnt(processor: Kosmos2Processor) -> None:
    packed = Packer(processor, 200).pack([[("Question: a? Answer:", " yes")], []])
    tokenizer = processor.tokenizer
    learnt = tokenizer.decode(packed.ids[0][packed.answer[0]])
    assert learnt.replace(" ", "") == "yes</s>"
    assert not packed.answer[1].any()
    assert (packed.segment[1, 67:] == -1).all()


def test_a_location_target_peaks_at_its_own_cell() -> None:
    targets = blurred_locations()
    assert torch.allclose(targets.sum(1), torch.ones(1024), atol=1e-5)
    assert torch.equal(targets.argmax(1), torch.arange(1024))


def test_locations_follow_each_other_in_the_vocabulary(processor: Kosmos2Processor) -> None:
    last = processor.tokenizer.convert_tokens_to_ids("<patch_index_1023>")
    assert last - first_location(processor) == 1023


def test_twenty_steps_lower_the_loss(trained: Path) -> None:
    rows = [json.loads(line) for line in (trained / "run" / "curve.jsonl").read_text().splitlines()]
    for part in ("loss", "words"):
        assert np.mean([row[part] for row in rows[-4:]]) < np.mean([row[part] for row in rows[:4]]), part


def test_a_run_in_two_parts_gives_the_same_weights(
    trained: Path, scene_cache: Path, eyes: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained / "run" / "processor", tmp_path / "run" / "processor")
    for until in (10, None):
        train_captioner(_plan(scene_cache, eyes, tmp_path, until=until), _quiet)
    whole, parts = (
        torch.load(folder / "run" / "checkpoint.pt", weights_only=True)["modules"]["text_model"]
        for folder in (trained, tmp_path)
    )
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name


def test_the_eyes_stay_as_they_were(trained: Path, eyes: Path) -> None:
    loaded = Kosmos2ForConditionalGeneration.from_pretrained(trained / "out", dtype=torch.float32)
    tower = CLIPModel.from_pretrained(eyes, dtype=torch.float32).vision_model.state_dict()
    for name, value in tower.items():
        assert torch.equal(loaded.vision_model.state_dict()[f"model.{name}"], value), name


def test_the_folder_loads_writes_and_is_measured(trained: Path) -> None:
    figures = evaluate_captioner(load_captioner(str(trained / "out"), threads=1), scenes=4)
    for name in ("named_precision", "named_recall", "pointing_iou50", "pointing_iou50_free", "questions_right"):
        assert 0.0 <= figures[name] <= 100.0


def test_only_the_language_model_is_trained(model: Kosmos2ForConditionalGeneration) -> None:
    assert set(language_modules(model)) == {"text_model", "image_to_text_projection"}
    assert not any(parameter.requires_grad for parameter in model.vision_model.parameters())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<phrase> a red dog</phrase><object><patch_index_0001><patch_index_0099></object>.", {"dog": 1}),
        ("two small striped blue cats and a hot-air balloon", {"cat": 2, "hot-air balloon": 1}),
        ("A woman in red, a man in blue and three men in grey", {"woman": 1, "man": 4}),
        ("nothing of the kind", {}),
    ],
)
def test_kinds_are_counted_in_an_english_text(text: str, named: dict[str, int]) -> None:
    assert kinds_named(text) == named


def test_kinds_named_agrees_with_the_world(tiny_store: SceneStore) -> None:
    for scene in tiny_store.scenes:
        for caption in all_captions(scene, "en", 0)[:2]:
            kinds = [thing.kind for thing in scene.things]
            assert kinds_named(caption.text) == {kind: kinds.count(kind) for kind in kinds}


def test_a_box_is_written_as_two_locations_of_the_grid() -> None:
    assert located([Box(0.0, 0.0, 1.0, 1.0)]) == "<object><patch_index_0000><patch_index_1023></object>"
    assert "</delimiter_of_multi_objects/>" in located([Box(0.0, 0.0, 0.5, 0.5), Box(0.5, 0.5, 1.0, 1.0)])


def test_latents_begin_by_looking_at_their_own_patches(
    model: Kosmos2ForConditionalGeneration, tiny_store: SceneStore
) -> None:
    fresh = copy.deepcopy(model)
    with torch.inference_mode():
        features = see(fresh, normalise(tiny_store.pictures(range(24))))
    look_at_patches(fresh, features.clone())
    with torch.no_grad():
        image, attention = fresh.image_to_text_projection(features.clone())
    own = torch.arange(64) * 16 // 64  # 16 patches for 64 latents
    paid = attention[:, :, torch.arange(64), 1 + own].mean()
    assert image.shape == (24, 64, 32)
    assert paid > 0.5
