"""The dual encoder's training at toy scale: it learns, resumes, and its folder loads as the product loads it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from storybook.data import SceneStore
from storybook.encoder_model import EncoderSettings, Towers, build_encoder, cosines, normalise
from storybook.evaluate_encoder import evaluate_encoder, recall
from storybook.sentences import Sentences, all_captions, swap_colours
from storybook.splits import pair_is_held_out
from storybook.tokenizers import EOS_ID, train_encoder_tokenizer
from storybook.train import TrainingPlan, prepare, train_encoder
from storybook.train_encoder import embed_texts, pad_ids
from storybook.world import COLOURS, THINGS
from vision.encoders.registry import load_encoder

_TINY = EncoderSettings(
    image_px=32, patch_px=8, width=32, layers=1, heads=2, text_width=32, text_layers=1, text_heads=2, dim=16
)


def _quiet(line: str) -> None:
    """A report that nobody reads."""


def _plan(cache: Path, folder: Path, *, steps: int = 20, until: int | None = None) -> TrainingPlan:
    return TrainingPlan(
        model="encoder",
        cache=cache,
        run=folder / "run",
        out=folder / "out",
        encoder=folder / "none",
        scenes=24,
        steps=steps,
        batch=12,
        rate=3e-3,
        save_every=10,
        until=until,
        encoder_settings=_TINY,
    )


@pytest.fixture(scope="module")
def trained(scene_cache: Path, tiny_store: SceneStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of twenty steps."""
    folder = tmp_path_factory.mktemp("encoder")
    plan = _plan(scene_cache, folder)
    prepare(plan, _quiet)
    train_encoder(plan, _quiet)
    return folder


def test_twenty_steps_lower_every_kind_of_loss(trained: Path) -> None:
    rows = [json.loads(line) for line in (trained / "run" / "curve.jsonl").read_text().splitlines()]
    for part in ("loss", "kind", "colour", "box"):
        assert np.mean([row[part] for row in rows[-4:]]) < np.mean([row[part] for row in rows[:4]]), part


def test_a_run_in_two_parts_gives_the_same_weights(trained: Path, scene_cache: Path, tmp_path: Path) -> None:
    # Training a byte-pair tokenizer breaks ties in no fixed order, so both runs must read with the same one.
    (tmp_path / "run").mkdir()
    shutil.copy(trained / "run" / "tokenizer.json", tmp_path / "run")
    for until in (10, None):
        train_encoder(_plan(scene_cache, tmp_path, until=until), _quiet)
    whole, parts = (
        torch.load(folder / "run" / "checkpoint.pt", weights_only=True)["modules"]["towers"]
        for folder in (trained, tmp_path)
    )
    for name, value in whole.items():
        assert torch.equal(value, parts[name]), name


def test_the_folder_loads_through_the_product_and_agrees_with_training(trained: Path, tiny_store: SceneStore) -> None:
    encoder = load_encoder(str(trained / "out"), threads=1)
    assert (encoder.facts.dim, encoder.facts.preprocessing.output_hw) == (16, (32, 32))

    tokenizer = Tokenizer.from_file(str(trained / "run" / "tokenizer.json"))
    towers = Towers(build_encoder(_TINY, vocabulary=tokenizer.get_vocab_size()))
    state = torch.load(trained / "run" / "checkpoint.pt", weights_only=True)["modules"]["towers"]
    towers.load_state_dict(state)
    pictures = tiny_store.pictures(range(4))
    texts = [all_captions(scene, "en", 0)[2].text for scene in tiny_store.scenes[:4]]
    with torch.inference_mode():
        images, _ = towers.images(normalise(pictures))
        sentences = embed_texts(towers, tokenizer, texts, _TINY.context_length)
    # The shipped weights are rounded to half precision.
    assert np.allclose(encoder.encode_prepared(pictures), images.numpy(), atol=3e-3)
    assert np.allclose(encoder.encode_text(texts), sentences.numpy(), atol=3e-3)


def test_case_does_not_change_a_text(trained: Path) -> None:
    encoder = load_encoder(str(trained / "out"), threads=1)
    shouted, said = encoder.encode_text(["A RED CAR", "a red car"])
    assert np.array_equal(shouted, said)


def test_evaluation_reports_every_figure_of_the_card(trained: Path) -> None:
    figures = evaluate_encoder(load_encoder(str(trained / "out"), threads=1), scenes=20, singles=10)
    for name in ("r1", "r10", "r1_held_out_pairs", "r10_de", "r10_zh", "brief_r10", "zero_shot_kind"):
        assert 0.0 <= figures[name] <= 100.0
    assert figures["r10"] >= figures["r1"]


def test_recall_counts_the_first_k() -> None:
    assert recall(np.array([1, 2, 11]), 10) == pytest.approx(200 / 3)
    assert np.isnan(recall(np.array([], dtype=np.int64), 1))


def test_a_false_twin_differs_and_is_no_held_out_phrase(tiny_store: SceneStore) -> None:
    rng = np.random.default_rng(0)
    sentences = Sentences()
    pairs = [sentences.caption(scene, rng, twin=True) for scene in tiny_store.scenes]
    twins = [false for true, false in pairs if false is not None and false != true]
    assert len(twins) > 3
    for scene in tiny_store.scenes:
        changed = swap_colours(scene, rng)
        if changed is not None:
            assert sorted(t.colour for t in changed.things) == sorted(t.colour for t in scene.things)
            assert changed != scene


def test_the_truth_of_a_phrase_is_what_the_scenes_show(tiny_store: SceneStore) -> None:
    scenes = list(tiny_store.scenes)
    texts, truth = Sentences().phrases(scenes, 200, np.random.default_rng(1))
    assert truth.shape == (246, 24)
    plain = {
        f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {kind}": (kind, colour)
        for kind in THINGS
        for colour in COLOURS
    }
    known = [(plain[text], row) for text, row in zip(texts, truth, strict=True) if text in plain]
    assert len(known) >= 5
    for (kind, colour), row in known:
        assert not pair_is_held_out(kind, colour)
        assert list(row) == [any((t.kind, t.colour) == (kind, colour) for t in scene.things) for scene in scenes]


def test_the_tokenizer_spells_what_it_never_read_and_frames_every_text() -> None:
    tokenizer = train_encoder_tokenizer(["a red dog", "ein roter Hund", "一只红色的狗"] * 5, vocabulary=200)
    ids = tokenizer.encode("A zebra").ids
    assert ids[0] == tokenizer.token_to_id("<s>")
    assert ids[-1] == EOS_ID
    assert tokenizer.token_to_id("<unk>") not in ids
    assert tokenizer.encode("狗红").tokens[1:-1] == ["狗</w>", "红</w>"]


def test_a_text_beyond_the_context_keeps_its_end_token() -> None:
    padded = pad_ids([[1, 5, 6, 7, 8, EOS_ID], [1, 5, EOS_ID]], 4)
    assert padded.tolist() == [[1, 5, 6, EOS_ID], [1, 5, EOS_ID, 0]]


def test_the_first_filters_are_orthonormal() -> None:
    filters = cosines(8, 24).flatten(1)
    assert torch.allclose(filters @ filters.T, torch.kron(torch.eye(8), _opponents()), atol=1e-5)


def _opponents() -> torch.Tensor:
    axes = torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [-0.5, -0.5, 1.0]])
    axes = axes / axes.norm(dim=1, keepdim=True)
    return axes @ axes.T
