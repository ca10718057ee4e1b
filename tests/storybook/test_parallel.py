"""Two processes train one model: one curve, one checkpoint, and the same weights in both."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from storybook.data import SceneStore
from storybook.encoder_model import EncoderSettings
from storybook.parallel import average_gradients, rank, run_together
from storybook.train import TrainingPlan, prepare, train_in_process

_TINY = EncoderSettings(
    image_px=32, patch_px=8, width=32, layers=1, heads=2, text_width=32, text_layers=1, text_heads=2, dim=16
)


def test_two_processes_keep_one_run(scene_cache: Path, tiny_store: SceneStore, tmp_path: Path) -> None:
    plan = TrainingPlan(
        model="encoder",
        cache=scene_cache,
        run=tmp_path / "run",
        out=tmp_path / "out",
        encoder=tmp_path,
        scenes=24,
        steps=3,
        batch=6,
        encoder_settings=_TINY,
    )
    prepare(plan, str)
    run_together(train_in_process, (plan, 1), processes=2, meeting=tmp_path / "meeting")
    rows = [json.loads(line) for line in (tmp_path / "run" / "curve.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert (tmp_path / "out" / "model.safetensors").is_file()

    alone = replace(plan, run=tmp_path / "alone", out=tmp_path / "out-alone")
    alone.run.mkdir()
    (alone.run / "tokenizer.json").write_bytes((tmp_path / "run" / "tokenizer.json").read_bytes())
    train_in_process(alone, 1)
    together, single = (
        torch.load(folder / "checkpoint.pt", weights_only=True)["modules"]["towers"] for folder in (plan.run, alone.run)
    )
    # The second process saw other scenes, so the averaged steps differ from those of one process alone.
    assert any(not torch.equal(value, single[name]) for name, value in together.items())


def test_a_process_alone_is_the_first_and_keeps_its_gradients() -> None:
    module = torch.nn.Linear(2, 2)
    module(torch.ones(1, 2)).sum().backward()
    assert module.weight.grad is not None
    before = module.weight.grad.clone()
    average_gradients([module])
    assert rank() == 0
    assert torch.equal(module.weight.grad, before)
