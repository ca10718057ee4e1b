"""Trains the captioner's vision tower by itself: every patch says which thing fills it, and where that thing ends."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from transformers import Kosmos2ForConditionalGeneration

from storybook.captioner_model import see
from storybook.data import SceneStore, draw_batch
from storybook.encoder_model import DenseHeads, normalise
from storybook.labels import dense_labels
from storybook.parallel import rank
from storybook.train_encoder import dense_loss
from storybook.training import autocast


class EyesObjective:
    """The dense loss of one step, whose batch follows from the seed and the step alone.

    Args:
        model: whose vision tower is trained.
        heads: read its patches.
        store: training scenes.
        scenes: pictures per step.
        seed: of the whole training.
    """

    def __init__(
        self, model: Kosmos2ForConditionalGeneration, heads: DenseHeads, store: SceneStore, *, scenes: int, seed: int
    ) -> None:
        self._model = model
        self._heads = heads
        self._store = store
        self._scenes = scenes
        self._seed = seed
        vision = model.config.vision_config
        self._side = vision.image_size // vision.patch_size
        self._device = next(model.parameters()).device

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """Sum of what the patches say wrongly, and its parts."""
        rng = np.random.default_rng([self._seed, step, rank()])
        drawn = draw_batch(self._store, self._scenes, rng)
        with autocast(self._device):
            features = see(self._model, normalise(drawn.pictures).to(self._device))
        with torch.autocast(self._device.type, enabled=False):
            return dense_loss(self._heads(features.float()), dense_labels(drawn.scenes, drawn.owners, side=self._side))
