"""The shared loop: schedule, checkpoints, and a resumed run that equals an unbroken one."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from storybook.training import Schedule, Trainer, TrainingError


class _Line(nn.Module):
    """A matrix inside `layers`, so that Muon has something to do, and a bias for AdamW."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4)])

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.layers[0](inputs)


class _Objective:
    def __init__(self, module: nn.Module, broken_at: int | None = None) -> None:
        self._module = module
        self._broken_at = broken_at

    def loss(self, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        generator = torch.Generator().manual_seed(step)
        inputs = torch.randn(8, 4, generator=generator)
        loss = (self._module(inputs) - inputs.flip(1)).square().mean()
        if step == self._broken_at:
            loss = loss * float("nan")
        return loss, {"size": float(inputs.abs().mean())}


def _trainer(folder: Path, identity: str = "one") -> tuple[Trainer, nn.Module]:
    torch.manual_seed(0)
    module = _Line()
    return Trainer(folder, {"line": module}, Schedule(steps=20, peak_rate=0.01, warmup=2), identity=identity), module


def test_the_rate_rises_stays_and_falls_to_nothing() -> None:
    schedule = Schedule(steps=100, warmup=10, fall=0.2)
    factors = [schedule.factor(step) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:80] == [1.0] * 71
    assert factors[90] == pytest.approx(0.5)
    assert factors[100] == 0.0


def test_the_loss_falls_and_every_step_is_in_the_curve(tmp_path: Path) -> None:
    trainer, module = _trainer(tmp_path)
    trainer.run(_Objective(module), save_every=5)
    rows = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 21))
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert all(later["seconds"] >= row["seconds"] for row, later in itertools.pairwise(rows))


def test_a_resumed_run_ends_in_the_same_state_as_an_unbroken_one(tmp_path: Path) -> None:
    whole, module = _trainer(tmp_path / "whole")
    whole.run(_Objective(module), save_every=100)

    first, broken = _trainer(tmp_path / "parts")
    first.run(_Objective(broken), save_every=7, until=7)
    second, resumed = _trainer(tmp_path / "parts")
    assert second.step == 7
    second.run(_Objective(resumed), save_every=100)

    for name, value in module.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_steps_after_the_last_checkpoint_leave_the_curve_when_they_run_again(tmp_path: Path) -> None:
    trainer, module = _trainer(tmp_path)
    with pytest.raises(TrainingError, match="loss of step 9"):
        trainer.run(_Objective(module, broken_at=9), save_every=5)
    again, module = _trainer(tmp_path)
    again.run(_Objective(module), save_every=5)
    steps = [json.loads(line)["step"] for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert steps == list(range(1, 21))


def test_a_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    trainer, module = _trainer(tmp_path)
    trainer.run(_Objective(module), save_every=5, until=5)
    with pytest.raises(TrainingError, match="other settings"):
        _trainer(tmp_path, identity="another")
