"""Trains the storybook's captioner: captions, boxes and answers, token by token, behind one look at the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import Kosmos2ForConditionalGeneration, Kosmos2Processor

from storybook.captioner_model import GRID, Packed, first_location, prefix_ids, read_packed, see
from storybook.data import SceneStore, draw_batch
from storybook.encoder_model import normalise
from storybook.parallel import rank
from storybook.training import autocast
from storybook.world import Scene

# Standard deviation of the target around a location, in cells of the 32×32 grid: a neighbouring cell is nearly right,
# and a loss that says so learns boxes from far fewer pictures.
_BLUR_CELLS = 0.6


class Tasks(Protocol):
    """Gives what there is to say about a scene."""

    def exchanges(self, scene: Scene, rng: np.random.Generator) -> list[tuple[str, str]]:
        """Pairs of prompt and answer, with the tags of Kosmos-2."""


@dataclass(frozen=True, slots=True)
class CaptionerBatching:
    """How a step's batch is put together.

    Attributes:
        scenes: pictures per step.
        tokens: at most so many tokens of prompts and answers per picture.
        seed: of the whole training.
    """

    scenes: int = 32
    tokens: int = 200
    seed: int = 0


class CaptionerObjective:
    """The loss of one step, whose batch follows from the seed and the step alone."""

    def __init__(
        self,
        model: Kosmos2ForConditionalGeneration,
        processor: Kosmos2Processor,
        store: SceneStore,
        tasks: Tasks,
        batching: CaptionerBatching,
    ) -> None:
        self._model = model
        self._processor = processor
        self._store = store
        self._tasks = tasks
        self._batching = batching
        self._device = next(model.parameters()).device
        self._first = first_location(processor)
        self._blurred = blurred_locations().to(self._device)
        self._packer = Packer(processor, batching.tokens)

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """Mean cross entropy per answer token; words and locations apart for the curve."""
        rng = np.random.default_rng([self._batching.seed, step, rank()])
        drawn = draw_batch(self._store, self._batching.scenes, rng)
        packed = self._packer.pack([self._tasks.exchanges(scene, rng) for scene in drawn.scenes])
        packed = Packed(*(getattr(packed, name).to(self._device) for name in ("ids", "positions", "segment", "answer")))
        with autocast(self._device):
            with torch.no_grad():
                features = see(self._model, normalise(drawn.pictures).to(self._device))
            logits = read_packed(self._model, features, packed)
        target = packed.ids[:, 1:][packed.answer[:, 1:]]
        chances = functional.log_softmax(logits.float(), dim=-1)
        place = (target >= self._first) & (target < self._first + GRID * GRID)
        words = -chances[~place].gather(1, target[~place, None]).squeeze(1)
        cells = chances[place][:, self._first : self._first + GRID * GRID]
        places = -(cells * self._blurred[target[place] - self._first]).sum(-1)
        total = (words.sum() + places.sum()) / max(1, target.numel())
        parts = {"words": float(words.detach().mean()), "tokens": float(target.numel())}
        if place.any():
            parts["places"] = float(places.detach().mean())
        return total, parts


class Packer:
    """Lays the exchanges of each picture behind one image prefix."""

    def __init__(self, processor: Kosmos2Processor, tokens: int) -> None:
        self._tokenizer = processor.tokenizer
        self._prefix = prefix_ids(processor)
        self._tokens = tokens

    def pack(self, exchanges: Sequence[Sequence[tuple[str, str]]]) -> Packed:
        """Pack `n` pictures' exchanges; those beyond the token limit are left out."""
        flat = [text for row in exchanges for prompt, answer in row for text in (prompt, prompt + answer)]
        ids = iter(self._tokenizer(flat, add_special_tokens=False)["input_ids"]) if flat else iter(())
        rows = [self._row([(next(ids), next(ids)) for _ in row]) for row in exchanges]
        longest = max(len(row[0]) for row in rows)
        pad = int(self._tokenizer.pad_token_id)
        fills = (pad, 0, -1, 0)
        columns = [
            torch.tensor([list(row[part]) + [fill] * (longest - len(row[part])) for row in rows])
            for part, fill in enumerate(fills)
        ]
        return Packed(columns[0], columns[1], columns[2], columns[3].bool())

    def _row(
        self, exchanges: Sequence[tuple[list[int], list[int]]]
    ) -> tuple[list[int], list[int], list[int], list[int]]:
        # Kosmos-2's positions start behind the padding id (fairseq's custom).
        start = int(self._tokenizer.pad_token_id) + 1
        ids = list(self._prefix)
        positions = list(range(start, start + len(ids)))
        segment = [0] * len(ids)
        answer = [0] * len(ids)
        for number, (prompt, whole) in enumerate(exchanges, start=1):
            if len(ids) - len(self._prefix) + len(whole) + 1 > self._tokens and number > 1:
                break
            tokens = [*whole, int(self._tokenizer.eos_token_id)]
            behind = start + len(self._prefix)
            ids += tokens
            positions += range(behind, behind + len(tokens))
            segment += [number] * len(tokens)
            answer += [0] * len(prompt) + [1] * (len(tokens) - len(prompt))
        return ids, positions, segment, answer


def blurred_locations() -> Tensor:
    """Target distributions `(1024, 1024)` float32: row i spreads location i over its neighbours."""
    axis = torch.arange(GRID)
    near = torch.exp(-((axis[:, None] - axis[None, :]) ** 2) / (2 * _BLUR_CELLS**2))
    near = near / near.sum(1, keepdim=True)
    return torch.kron(near, near).float()
