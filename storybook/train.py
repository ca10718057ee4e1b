"""`python -m storybook.train encoder|captioner`: trains a built-in model from scratch, or resumes an unfinished run."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import CLIPModel, Kosmos2Processor

from storybook.captioner_model import (
    CaptionerSettings,
    build_captioner,
    look_at_patches,
    save_captioner,
    see,
)
from storybook.data import SceneStore, StorePlan, build_store, join_stores
from storybook.encoder_model import DenseHeads, EncoderSettings, Towers, build_encoder, normalise, save_encoder
from storybook.parallel import rank, run_together
from storybook.sentences import corpus
from storybook.tasks import SceneTasks, spoken
from storybook.tokenizers import train_captioner_processor, train_encoder_tokenizer
from storybook.train_captioner import CaptionerBatching, CaptionerObjective, Learner
from storybook.train_encoder import EncoderBatching, EncoderObjective
from storybook.train_eyes import EyesObjective
from storybook.training import Schedule, Trainer
from vision.errors import DeixisError

MODELS = Path(__file__).parent / "models"
# How the weights that ship were trained.
_SHIPPED = {
    "encoder": {"scenes": 10_000, "singles": 5000, "steps": 2370, "batch": 64},
    "captioner": {"scenes": 14_000, "singles": 4000, "steps": 2700, "batch": 16},
}
_TOKENIZER_SCENES = 2000
_ENCODER_VOCABULARY = 6000
_LOOKED_AT = 400
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """One training from scratch: equal plans give equal weights on the same machine, threads, processes and tokenizer.

    The tokenizer is made once per run folder: the library that trains it breaks ties in no fixed order.

    Attributes:
        model: `encoder` or `captioner`.
        cache: folder of the drawn scenes.
        run: folder of checkpoint, tokenizer and curve.
        out: folder that receives the finished model.
        encoder: folder of the encoder whose eyes the captioner uses.
        scenes: training scenes; a multiple of 1,000 where singles are added.
        steps: optimiser steps.
        batch: scenes per step.
        singles: further training scenes with one thing each, which teach what a kind looks like by itself.
        eyes_steps: steps, of twice as many pictures, in which the captioner's vision tower learns by itself first.
        rate: peak learning rate.
        seed: of weights and batches.
        workers: processes that draw scenes.
        device: `cpu` or `cuda`.
        save_every: steps between checkpoints.
        until: stop after this step in all, before the schedule ends; None runs to the end.
        encoder_settings: shape of the dual encoder.
        captioner_settings: shape of the captioner's language model.
    """

    model: str
    cache: Path
    run: Path
    out: Path
    encoder: Path
    scenes: int
    steps: int
    batch: int
    singles: int = 0
    eyes_steps: int = 0
    rate: float = 1e-3
    seed: int = 0
    workers: int = 1
    device: str = "cpu"
    save_every: int = 100
    until: int | None = None
    encoder_settings: EncoderSettings = field(default_factory=EncoderSettings)
    captioner_settings: CaptionerSettings = field(default_factory=CaptionerSettings)

    @property
    def identity(self) -> str:
        """SHA-256 over what a checkpoint must agree with; steps and scenes may grow, and a machine may change."""
        free = {
            "cache",
            "run",
            "out",
            "encoder",
            "scenes",
            "singles",
            "steps",
            "eyes_steps",
            "workers",
            "device",
            "save_every",
            "until",
        }
        if self.model == "encoder":
            free = free | {"captioner_settings"}
        parts = {item.name: str(getattr(self, item.name)) for item in fields(self) if item.name not in free}
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def prepare(plan: TrainingPlan, report: Report) -> None:
    """Draw the scenes and make the tokenizer, once, before several processes read both."""
    store = _training_scenes(plan, report)
    if plan.model == "encoder":
        _encoder_tokenizer(plan, store)
    else:
        _captioner_processor(plan, store)


def train_encoder(plan: TrainingPlan, report: Report) -> Trainer:
    """Train the dual encoder and write it to `plan.out`.

    Raises:
        TrainingError: the checkpoint in `plan.run` belongs to other settings, or the loss stops being finite.
    """
    store = _training_scenes(plan, report)
    tokenizer = _encoder_tokenizer(plan, store)
    torch.manual_seed(plan.seed)
    model = build_encoder(plan.encoder_settings, vocabulary=tokenizer.get_vocab_size()).to(plan.device)
    towers = Towers(model).to(plan.device)
    heads = DenseHeads(plan.encoder_settings.width).to(plan.device)
    trainer = Trainer(plan.run, {"towers": towers, "heads": heads}, _schedule(plan), identity=plan.identity)
    batching = EncoderBatching(plan.batch, plan.batch * 3 // 8, plan.batch // 2, plan.seed)
    objective = EncoderObjective(towers, heads, store, tokenizer, batching, plan.encoder_settings)
    trainer.run(objective, save_every=plan.save_every, until=plan.until, report=report)
    if rank() == 0:
        save_encoder(model, tokenizer, plan.encoder_settings, plan.out)
    return trainer


def train_captioner(plan: TrainingPlan, report: Report) -> Trainer:
    """Train the captioner, whose eyes start as a finished encoder's, and write it to `plan.out`.

    Raises:
        TrainingError: the checkpoint in `plan.run` belongs to other settings, or the loss stops being finite.
    """
    encoder = CLIPModel.from_pretrained(plan.encoder, dtype=torch.float32)
    store = _training_scenes(plan, report)
    processor = _captioner_processor(plan, store)
    torch.manual_seed(plan.seed)
    model = build_captioner(plan.captioner_settings, encoder, processor).to(plan.device)
    heads = DenseHeads(plan.captioner_settings.width).to(plan.device)
    model.train()
    eyes = Trainer(
        plan.run / "eyes",
        {"tower": model.vision_model, "heads": heads},
        replace(_schedule(plan), steps=plan.eyes_steps),
        identity=plan.identity,
    )
    looking = EyesObjective(model, heads, store, scenes=plan.batch * 2, seed=plan.seed)
    eyes.run(looking, save_every=plan.save_every, report=report)
    with torch.inference_mode():
        pictures = store.pictures(range(min(_LOOKED_AT, len(store))))
        features = see(model, normalise(pictures).to(plan.device))
    look_at_patches(model, features.clone())
    learner = Learner(model, heads)
    trainer = Trainer(plan.run, {"learner": learner}, _schedule(plan), identity=plan.identity)
    batching = CaptionerBatching(plan.batch, seed=plan.seed)
    objective = CaptionerObjective(learner, processor, store, SceneTasks(), batching)
    trainer.run(objective, save_every=plan.save_every, until=plan.until, report=report)
    if rank() == 0:
        save_captioner(model, learner.places, processor, plan.out)
    return trainer


def _schedule(plan: TrainingPlan) -> Schedule:
    return Schedule(steps=plan.steps, peak_rate=plan.rate, warmup=max(1, min(100, plan.steps // 10)))


def _training_scenes(plan: TrainingPlan, report: Report) -> SceneStore:
    size_px = (plan.encoder_settings if plan.model == "encoder" else plan.captioner_settings).image_px
    store = build_store(plan.cache, StorePlan("train", plan.scenes, size_px), workers=plan.workers, report=report)
    if not plan.singles:
        return store
    alone = StorePlan("train", plan.singles, size_px, single=True)
    return join_stores(store, build_store(plan.cache, alone, workers=plan.workers, report=report))


def _encoder_tokenizer(plan: TrainingPlan, store: SceneStore) -> Tokenizer:
    """The run's tokenizer; it is kept beside the checkpoint, whose embeddings are meaningless without it."""
    path = plan.run / "tokenizer.json"
    if path.exists():
        return Tokenizer.from_file(str(path))
    tokenizer = train_encoder_tokenizer(corpus(store.scenes[:_TOKENIZER_SCENES]), vocabulary=_ENCODER_VOCABULARY)
    plan.run.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return tokenizer


def _captioner_processor(plan: TrainingPlan, store: SceneStore) -> Kosmos2Processor:
    folder = plan.run / "processor"
    if folder.exists():
        return Kosmos2Processor.from_pretrained(folder)
    texts = list(spoken(store.scenes[:_TOKENIZER_SCENES]))
    processor = train_captioner_processor(
        texts, vocabulary=plan.captioner_settings.vocabulary, image_px=plan.captioner_settings.image_px
    )
    processor.save_pretrained(folder)
    return processor


def _processes() -> int:
    """One per core on a CPU; a GPU is kept busy by one."""
    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


def _parse(arguments: Sequence[str]) -> tuple[TrainingPlan, int, int]:
    parser = argparse.ArgumentParser(prog="python -m storybook.train", description=__doc__)
    parser.add_argument("model", choices=("encoder", "captioner"))
    parser.add_argument("--work", type=Path, default=Path("storybook-training"), help="drawn scenes and checkpoints")
    parser.add_argument("--out", type=Path, help="folder of the finished model (default: the shipped one)")
    parser.add_argument("--encoder", type=Path, default=MODELS / "encoder", help="whose eyes the captioner uses")
    parser.add_argument("--scenes", type=int, help="with several things each")
    parser.add_argument("--singles", type=int, help="further scenes with one thing each")
    parser.add_argument("--steps", type=int, help="of the whole model")
    parser.add_argument("--eyes-steps", type=int, default=800, help="in which the captioner's eyes learn alone first")
    parser.add_argument("--batch", type=int, help="scenes per step and process")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1, help="of torch in each process")
    parser.add_argument(
        "--processes", type=int, default=_processes(), help="that train together, each with --batch and --threads"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that draw scenes")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--save-every", type=int, default=100)
    parser.add_argument("--until", type=int, help="stop after this step; a later run goes on from there")
    read = parser.parse_args(arguments)
    shipped = _SHIPPED[read.model]
    plan = TrainingPlan(
        model=read.model,
        cache=read.work / "scenes",
        run=read.work / read.model,
        out=read.out or MODELS / read.model,
        encoder=read.encoder,
        scenes=shipped["scenes"] if read.scenes is None else read.scenes,
        steps=shipped["steps"] if read.steps is None else read.steps,
        singles=shipped["singles"] if read.singles is None else read.singles,
        eyes_steps=read.eyes_steps,
        batch=shipped["batch"] if read.batch is None else read.batch,
        rate=read.rate,
        seed=read.seed,
        workers=read.workers,
        device=read.device,
        save_every=read.save_every,
        until=read.until,
    )
    return plan, read.threads, read.processes


def train_in_process(plan: TrainingPlan, threads: int) -> None:
    """Run a prepared training in this process, alone or as one of several, with so many threads."""
    torch.set_num_threads(threads)
    (train_encoder if plan.model == "encoder" else train_captioner)(plan, _report)


def _report(line: str) -> None:
    if rank() == 0:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one training; returns the exit code."""
    plan, threads, processes = _parse(sys.argv[1:] if arguments is None else arguments)
    try:
        prepare(plan, _report)
        run_together(train_in_process, (plan, threads), processes=processes, meeting=plan.run.absolute() / "meeting")
    except DeixisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
