"""Trains the storybook's captioner: captions, boxes and answers, token by token, behind one look at the picture."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Kosmos2ForConditionalGeneration, Kosmos2Processor

from storybook.captioner_model import GRID, LATENT_SIDE, Places, first_location, see
from storybook.data import DrawnBatch, SceneStore, draw_batch
from storybook.encoder_model import DenseHeads, normalise
from storybook.labels import dense_labels, patch_owners
from storybook.packing import Packed, Packer, Reading, read_packed
from storybook.parallel import rank
from storybook.tasks import Exchange
from storybook.train_encoder import dense_loss
from storybook.training import autocast
from storybook.world import Scene
from vision.grounding.locations import locations_of

# Standard deviation of the target around a location, in cells of the 32×32 grid: a neighbouring cell is nearly right,
# and a loss that says so learns boxes from far fewer pictures.
_BLUR_CELLS = 0.6
_DENSE_WEIGHT = 0.5
_CORNERS_WEIGHT = 0.5  # within the dense part
_LOOKING_WEIGHT = 0.5


class Tasks(Protocol):
    """Gives what there is to say about a scene."""

    def exchanges(self, scene: Scene, rng: np.random.Generator) -> list[Exchange]:
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


class Learner(nn.Module):
    """Everything that a step trains: the captioner, and what is dropped when it ships.

    Args:
        model: the captioner.
        heads: read patches; trained with the eyes.
    """

    def __init__(self, model: Kosmos2ForConditionalGeneration, heads: DenseHeads) -> None:
        super().__init__()
        width = model.config.text_config.embed_dim
        self.model = model
        self.heads = heads
        self.latent_heads = DenseHeads(width)
        self.places = Places(width)
        # From a latent or a patch to what is to be said of its thing: two corners, in the vectors of the locations. The
        # patches of a thing thereby agree on where it is, so that a latent may look at several of them.
        self.corners = nn.Linear(width, 2 * width, bias=False)
        self.patch_corners = nn.Linear(width, 2 * width, bias=False)


class CaptionerObjective:
    """The loss of one step, whose batch follows from the seed and the step alone."""

    def __init__(
        self,
        learner: Learner,
        processor: Kosmos2Processor,
        store: SceneStore,
        tasks: Tasks,
        batching: CaptionerBatching,
    ) -> None:
        self._learner = learner
        self._store = store
        self._tasks = tasks
        self._batching = batching
        self._device = next(learner.parameters()).device
        self._first = first_location(processor)
        self._near = blurred_cells().to(self._device)
        self._blurred = torch.kron(self._near, self._near)
        self._packer = Packer(processor, batching.tokens)
        vision = learner.model.config.vision_config
        self._side = vision.image_size // vision.patch_size

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """The weighted sum of what is written, what patches and latents say, and where is looked; and its parts."""
        rng = np.random.default_rng([self._batching.seed, step, rank()])
        drawn = draw_batch(self._store, self._batching.scenes, rng)
        packed = self._packer.pack([self._tasks.exchanges(scene, rng) for scene in drawn.scenes])
        packed = Packed(*(getattr(packed, item.name).to(self._device) for item in fields(Packed)))
        learner = self._learner
        with autocast(self._device):
            features = see(learner.model, normalise(drawn.pictures).to(self._device))
            reading = read_packed(learner.model, features, packed, learner.places.joined(learner.model, self._first))
        with torch.autocast(self._device.type, enabled=False):
            written, parts = self._written(reading.logits, packed)
            dense = self._dense(features, reading.latents, drawn, parts)
            told = {
                "corners": (learner.corners, reading.latents),
                "patch_corners": (learner.patch_corners, features[:, 1:]),
            }
            for name, (head, tokens) in told.items():
                missed = corners_loss(head, learner.places, tokens.float(), drawn, near=self._near)
                parts[name] = float(missed.detach())
                dense = dense + _CORNERS_WEIGHT * missed
            gaze = gaze_loss(reading.gaze, drawn, side=self._side)
            looking = looking_loss(reading, packed, latent_owners(drawn).to(self._device))
        parts |= {"gaze": float(gaze.detach()), "looking": float(looking.detach())}
        return written + _DENSE_WEIGHT * dense + _LOOKING_WEIGHT * (gaze + looking), parts

    def _written(self, logits: Tensor, packed: Packed) -> tuple[Tensor, dict[str, float]]:
        """Mean cross entropy per answer token; words and locations apart for the curve."""
        target = packed.ids[:, 1:][packed.answer[:, 1:]]
        chances = functional.log_softmax(logits, dim=-1)
        place = (target >= self._first) & (target < self._first + GRID * GRID)
        words = -chances[~place].gather(1, target[~place, None]).squeeze(1)
        cells = chances[place][:, self._first : self._first + GRID * GRID]
        places = -(cells * self._blurred[target[place] - self._first]).sum(-1)
        parts = {"words": float(words.detach().mean()), "tokens": float(target.numel())}
        if place.any():
            parts["places"] = float(places.detach().mean())
        return (words.sum() + places.sum()) / max(1, target.numel()), parts

    def _dense(self, features: Tensor, latents: Tensor, drawn: DrawnBatch, parts: dict[str, float]) -> Tensor:
        by_patch, seen = dense_loss(
            self._learner.heads(features.float()), dense_labels(drawn.scenes, drawn.owners, side=self._side)
        )
        latents = latents.float()
        latents = functional.normalize(torch.cat([latents.mean(1, keepdim=True), latents], dim=1), dim=-1)
        by_latent, told = dense_loss(
            self._learner.latent_heads(latents), dense_labels(drawn.scenes, drawn.owners, side=LATENT_SIDE)
        )
        parts |= {"patch_kinds": seen["kind_right"], "latent_kinds": told["kind_right"], "latent_box": told["box"]}
        return by_patch + by_latent


def corners_loss(head: nn.Module, places: Places, tokens: Tensor, drawn: DrawnBatch, *, near: Tensor) -> Tensor:
    """Cross entropy of the rows and columns of both corners of the thing that fills a token's square, nats per corner.

    Args:
        head: `(…, width)` to `(…, 2 · width)`.
        places: vectors of rows and columns.
        tokens: `(n, side², width)`, row-major.
        drawn: what they show.
        near: of `blurred_cells`.
    """
    most = max(len(scene.things) for scene in drawn.scenes)
    owners = torch.from_numpy(patch_owners(drawn.owners, most, round(tokens.shape[1] ** 0.5))).to(tokens.device)
    corners = torch.zeros(len(drawn.scenes), most + 1, 2, dtype=torch.long, device=tokens.device)
    for row, scene in enumerate(drawn.scenes):
        for number, thing in enumerate(scene.things, start=1):
            corners[row, number] = torch.tensor(locations_of(thing.box))
    picture, square = (owners > 0).nonzero(as_tuple=True)
    target = corners[picture, owners[picture, square]]
    told = head(functional.layer_norm(tokens[picture, square], tokens.shape[-1:])).unflatten(-1, (2, -1))
    loss = torch.zeros((), device=tokens.device)
    for vectors, cell in ((places.rows, target // GRID), (places.columns, target % GRID)):
        loss = loss - (functional.log_softmax(told @ vectors.T, -1) * near[cell]).sum(-1).mean()
    return loss


def latent_owners(drawn: DrawnBatch) -> Tensor:
    """Which latents' squares show a thing, `(n, things, 64)` bool; one that no cell shows has that at its middle."""
    most = max(len(scene.things) for scene in drawn.scenes)
    count, cells = drawn.owners.shape[:2]
    within = cells // LATENT_SIDE
    blocks = drawn.owners.reshape(count, LATENT_SIDE, within, LATENT_SIDE, within)
    shown = np.stack([(blocks == number).any((2, 4)).reshape(count, -1) for number in range(1, most + 1)], axis=1)
    for row, scene in enumerate(drawn.scenes):
        for number, thing in enumerate(scene.things):
            if not shown[row, number].any():
                x, y = (thing.box.x0 + thing.box.x1) / 2, (thing.box.y0 + thing.box.y1) / 2
                shown[row, number, int(y * LATENT_SIDE) * LATENT_SIDE + int(x * LATENT_SIDE)] = True
    return torch.from_numpy(shown)


def gaze_loss(gaze: Tensor, drawn: DrawnBatch, *, side: int) -> Tensor:
    """How far latents look past the thing that fills their square: mean of -log of what falls on its patches.

    A latent that averages a thing with what stands beside it knows neither's box.

    Args:
        gaze: `(n, heads, 64, side²)`, as in `Reading`.
        drawn: whose owners are known.
        side: patches per side of the picture.
    """
    most = max(len(scene.things) for scene in drawn.scenes)
    of_latents, of_patches = (
        torch.from_numpy(patch_owners(drawn.owners, most, across)).to(gaze.device) for across in (LATENT_SIDE, side)
    )
    own = (of_latents[:, :, None] == of_patches[:, None]) & (of_latents > 0)[:, :, None]
    losses = -(gaze.float() * own[:, None]).sum(-1).clamp(min=1e-6).log()
    return losses.mean(1)[own.any(-1)].mean()


def looking_loss(reading: Reading, packed: Packed, owners: Tensor) -> Tensor:
    """How far the watched heads look past the thing that the next token speaks of: mean of -log of what falls on it.

    To find by the loss of the words alone which latent a phrase means takes most of a training; here the world says it.
    """
    rows = packed.things[:, 1:] > 0
    bits = 1 << torch.arange(owners.shape[1], device=owners.device)
    spoken = (packed.things[:, 1:][rows][:, None] & bits).bool()
    picture = rows.nonzero()[:, 0]
    own = (owners[picture] & spoken[:, :, None]).any(1)
    losses = [-(layer[:, :-1][rows].float() * own).sum(1).clamp(min=1e-6).log() for layer in reading.attention]
    return torch.stack(losses).mean() if len(picture) else reading.logits.new_zeros(())


def blurred_cells() -> Tensor:
    """Target distributions `(32, 32)` float32 along one side: row i spreads cell i over its neighbours."""
    axis = torch.arange(GRID)
    near = torch.exp(-((axis[:, None] - axis[None, :]) ** 2) / (2 * _BLUR_CELLS**2))
    return near / near.sum(1, keepdim=True)
