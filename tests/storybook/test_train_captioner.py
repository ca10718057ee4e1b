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
    Places,
    build_captioner,
    finer_positions,
    first_location,
    look_at_patches,
    own_patches,
    prefix_ids,
    see,
)
from storybook.data import SceneStore, draw_batch
from storybook.encoder_model import EncoderSettings, build_encoder, normalise, save_encoder
from storybook.evaluate_captioner import evaluate_captioner, kinds_named
from storybook.labels import patch_owners
from storybook.packing import Packed, Packer, Reading, read_packed
from storybook.sentences import all_captions
from storybook.tasks import BRIEF, DETAILED_IN, Exchange, SceneTasks, caption_exchange, located, spoken
from storybook.tokenizers import train_captioner_processor, train_encoder_tokenizer
from storybook.train import TrainingPlan, prepare, train_captioner
from storybook.train_captioner import blurred_cells, gaze_loss, latent_owners, looking_loss
from vision.grounding.registry import load_captioner
from vision.types import Box

_EYES = EncoderSettings(
    image_px=32, patch_px=8, width=32, layers=1, heads=2, text_width=32, text_layers=1, text_heads=2, dim=16
)
_TINY = CaptionerSettings(image_px=32, width=32, layers=2, heads=2, vocabulary=600)


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
        eyes_steps=4,
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
        together = read_packed(model, see(model, pixels), packed).logits
        at = 0
        for exchange in exchanges:
            prompt, answer = exchange.prompt, exchange.answer
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
    for scene in tiny_store.scenes:
        for language, prompts in (("en", DETAILED_IN), ("de", DETAILED_IN), ("zh", DETAILED_IN)):
            caption = all_captions(scene, language, 1)[2]
            exchange = caption_exchange(scene, caption, prompts)
            text, entities = processor.post_process_generation(exchange.prompt + exchange.answer)
            assert text.endswith(caption.text) or language == "zh"
            assert [entity[0] for entity in entities] == [caption.text[s.start : s.end] for s, _ in caption.phrases]
            for (_, _, boxes), (_, indexes) in zip(entities, caption.phrases, strict=True):
                for box, index in zip(boxes, indexes, strict=True):
                    assert box == pytest.approx(scene.things[index].box.as_xyxy(), abs=1 / 16)


def test_only_answers_are_learnt(processor: Kosmos2Processor) -> None:
    packed = Packer(processor, 200).pack([[Exchange("Question: a? Answer:", " yes")], []])
    tokenizer = processor.tokenizer
    learnt = tokenizer.decode(packed.ids[0][packed.answer[0]])
    assert learnt.replace(" ", "") == "yes</s>"
    assert not packed.answer[1].any()
    assert (packed.segment[1, 67:] == -1).all()


def test_a_location_target_peaks_at_its_own_cell() -> None:
    targets = blurred_cells()
    assert torch.allclose(targets.sum(1), torch.ones(32), atol=1e-5)
    assert torch.equal(targets.argmax(1), torch.arange(32))


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
        torch.load(folder / "run" / "checkpoint.pt", weights_only=True)["modules"]["learner"]
        for folder in (trained, tmp_path)
    )
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name


def test_the_folder_loads_writes_and_is_measured(trained: Path) -> None:
    figures = evaluate_captioner(load_captioner(str(trained / "out"), threads=1), scenes=4)
    for name in ("named_precision", "named_recall", "pointing_iou50", "pointing_iou50_free", "questions_right"):
        assert 0.0 <= figures[name] <= 100.0


def test_positions_of_a_finer_grid_keep_the_corners_in_their_places() -> None:
    rows, columns = torch.meshgrid(torch.arange(4.0), torch.arange(4.0), indexing="ij")
    coarse = torch.cat([torch.tensor([[9.0, 9.0]]), torch.stack([rows, columns], -1).reshape(-1, 2)])
    fine = finer_positions(coarse, 8)
    grid = fine[1:].reshape(8, 8, 2)
    assert torch.equal(fine[0], coarse[0])
    assert (grid[1:, :, 0] > grid[:-1, :, 0]).all()
    assert (grid[:, 1:, 1] > grid[:, :-1, 1]).all()
    assert torch.allclose(finer_positions(coarse, 4), coarse, atol=1e-6)


def test_a_location_is_the_sum_of_its_row_and_its_column(
    model: Kosmos2ForConditionalGeneration, processor: Kosmos2Processor
) -> None:
    places, first = Places(32), first_location(processor)
    joined = places.joined(model, first)
    assert torch.equal(joined[first + 5 * 32 + 7], places.rows[5] + places.columns[7])
    assert torch.equal(joined[:first], model.text_model.model.embed_tokens.weight[:first])
    assert joined.shape == model.text_model.model.embed_tokens.weight.shape


def test_marks_say_which_things_the_words_and_boxes_speak_of(tiny_store: SceneStore) -> None:
    for scene in tiny_store.scenes:
        caption = all_captions(scene, "de", 1)[0]
        exchange = caption_exchange(scene, caption, DETAILED_IN)
        of_words = [
            (first, end, things) for first, end, things in exchange.marks if "<" not in exchange.answer[first:end]
        ]
        assert [(exchange.answer[first:end].strip(), things) for first, end, things in of_words] == [
            (caption.text[span.start : span.end], indexes) for span, indexes in caption.phrases
        ]
        for first, end, things in exchange.marks:
            if (first, end, things) not in of_words:
                assert f"<object>{exchange.answer[first:end]}</object>" == located([scene.things[things[0]].box])


def test_packed_tokens_know_their_things(processor: Kosmos2Processor) -> None:
    prompt, answer = "<grounding><phrase> dog</phrase>", located([Box(0.0, 0.0, 1.0, 1.0)])
    packed = Packer(processor, 200).pack([[Exchange(prompt, answer, ((8, len(answer) - 9, (2,)),))]])
    spoken_of = processor.tokenizer.convert_ids_to_tokens(packed.ids[0][packed.things[0] > 0].tolist())
    assert spoken_of == ["<patch_index_0000>", "<patch_index_1023>"]
    assert set(packed.things[0].tolist()) == {0, 4}


def test_looking_at_the_thing_costs_nothing_and_past_it_something(tiny_store: SceneStore) -> None:
    drawn = draw_batch(tiny_store, 4, np.random.default_rng(0))
    owners = latent_owners(drawn)
    assert owners.any(2)[:, 0].all()
    things = torch.zeros(4, 3, dtype=torch.long)
    things[:, 1] = 1
    packed = Packed(*(torch.zeros(4, 3, dtype=torch.long) for _ in range(4)), things)
    at, past = torch.zeros(4, 3, 64), torch.zeros(4, 3, 64)
    at[:, 0] = owners[:, 0] / owners[:, 0].sum(1, keepdim=True)
    past[:, 0] = ~owners[:, 0] / 64
    cost, worse = (float(looking_loss(Reading(at, at, at, [one]), packed, owners)) for one in (at, past))
    assert cost == pytest.approx(0.0, abs=1e-5)
    assert worse > 1


def test_a_latent_that_looks_at_its_thing_pays_nothing(tiny_store: SceneStore) -> None:
    drawn = draw_batch(tiny_store, 4, np.random.default_rng(0))
    most = max(len(scene.things) for scene in drawn.scenes)
    latents, patches = (torch.from_numpy(patch_owners(drawn.owners, most, side)) for side in (8, 16))
    own = (latents[:, :, None] == patches[:, None]).float()
    at = own / own.sum(-1, keepdim=True).clamp(min=1)
    assert float(gaze_loss(at[:, None], drawn, side=16)) == pytest.approx(0.0, abs=1e-5)
    assert float(gaze_loss(torch.full((4, 2, 64, 256), 1 / 256), drawn, side=16)) > 0.5


def test_the_squares_of_the_latents_share_the_patches_out() -> None:
    assert torch.equal(own_patches(256).sum(0), torch.ones(256))
    assert torch.equal(own_patches(256).sum(1), torch.full((64,), 4.0))
    assert torch.equal(own_patches(16).sum(1), torch.ones(64))


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
    paid = (attention[:, :, :, 1:17] * own_patches(16)).sum(-1).mean()
    assert image.shape == (24, 64, 32)
    assert paid > 0.5
