"""Trains the storybook's dual encoder: captions and phrases against pictures, and every patch by its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from storybook.data import SceneStore, draw_batch
from storybook.encoder_model import DenseHeads, EncoderSettings, Towers, normalise
from storybook.labels import IGNORED, NOTHING, DenseLabels, dense_labels
from storybook.parallel import rank
from storybook.sentences import Sentences
from storybook.tokenizers import PAD_ID
from storybook.training import autocast
from storybook.world import Scene

_LENGTH_GROUPS = 6
_BACKGROUND_WEIGHT = 0.1


@dataclass(frozen=True, slots=True)
class EncoderWeights:
    """How much each part of the loss counts."""

    caption: float = 1.0
    phrase: float = 2.0
    dense: float = 1.0


@dataclass(frozen=True, slots=True)
class EncoderBatching:
    """How a step's batch is put together.

    Attributes:
        scenes: pictures per step, each with one caption.
        swapped: how many of the captions get a false twin (two things' colours, or two sides, exchanged).
        phrases: phrases per step beside a prompt for every kind, each tried against every picture.
        seed: of the whole training.
    """

    scenes: int = 128
    swapped: int = 48
    phrases: int = 64
    seed: int = 0


class EncoderObjective:
    """The loss of one step, whose batch follows from the seed and the step alone."""

    def __init__(
        self,
        towers: Towers,
        heads: DenseHeads,
        store: SceneStore,
        tokenizer: Tokenizer,
        batching: EncoderBatching,
        settings: EncoderSettings,
    ) -> None:
        self._towers = towers
        self._heads = heads
        self._store = store
        self._tokenizer = tokenizer
        self._batching = batching
        self._settings = settings
        self._sentences = Sentences()
        self._weights = EncoderWeights()
        self._device = next(towers.parameters()).device

    def loss(self, step: int) -> tuple[Tensor, dict[str, float]]:
        """The weighted sum of the caption, phrase and dense losses, and each of them."""
        rng = np.random.default_rng([self._batching.seed, step, rank()])
        drawn = draw_batch(self._store, self._batching.scenes, rng)
        scenes, pixels = drawn.scenes, normalise(drawn.pictures).to(self._device)
        captions, twins = self._captions(scenes, rng)
        phrases, truth = self._sentences.phrases(scenes, self._batching.phrases, rng)
        with autocast(self._device):
            images, features = self._towers.images(pixels)
            texts = embed_texts(
                self._towers, self._tokenizer, captions + twins + phrases, self._settings.context_length
            )
        texts, named = texts[: -len(phrases)], texts[-len(phrases) :]
        with torch.autocast(self._device.type, enabled=False):
            caption = self._caption_loss(images, texts, len(captions))
            phrase = self._phrase_loss(images, named, torch.from_numpy(truth).to(self._device))
            side = self._settings.image_px // self._settings.patch_px
            dense, parts = dense_loss(self._heads(features), dense_labels(scenes, drawn.owners, side=side))
        total = self._weights.caption * caption + self._weights.phrase * phrase + self._weights.dense * dense
        return total, {"caption": float(caption.detach()), "phrase": float(phrase.detach()), **parts}

    def _captions(self, scenes: Sequence[Scene], rng: np.random.Generator) -> tuple[list[str], list[str]]:
        captions: list[str] = []
        twins: list[str] = []
        for position, scene in enumerate(scenes):
            true, false = self._sentences.caption(scene, rng, twin=position < self._batching.swapped)
            captions.append(true)
            if false is not None and false != true:
                twins.append(false)
        return captions, twins

    def _caption_loss(self, images: Tensor, texts: Tensor, true_captions: int) -> Tensor:
        """InfoNCE both ways; the false twins are further wrong answers for the pictures."""
        scale = self._towers.clip.logit_scale.clamp(max=4.6).exp()
        logits = scale * images @ texts.T
        target = torch.arange(true_captions, device=logits.device)
        by_text = logits[:, :true_captions].T
        return (functional.cross_entropy(logits, target) + functional.cross_entropy(by_text, target)) / 2

    def _phrase_loss(self, images: Tensor, phrases: Tensor, truth: Tensor) -> Tensor:
        """A sigmoid per (phrase, picture), as SigLIP has it, but with the truth known for every pair."""
        logits = self._towers.presence_scale.exp() * phrases @ images.T + self._towers.presence_bias
        losses = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        # Few pictures show any one phrase: let the pictures that do weigh as much as those that do not.
        positive = (losses * truth).sum() / truth.sum().clamp(min=1.0)
        negative = (losses * (1 - truth)).sum() / (1 - truth).sum().clamp(min=1.0)
        return positive + negative


def dense_loss(read: dict[str, Tensor], labels: DenseLabels) -> tuple[Tensor, dict[str, float]]:
    """Cross entropy of what each patch shows, distance of its box; the parts and the kinds' accuracy for the curve."""
    device = read["kind"].device
    kind = torch.from_numpy(labels.kind).to(device)
    owned = torch.from_numpy(labels.colour != IGNORED).to(device)
    # Most patches show nothing but background; unweighted, the kinds would be heard only after that is learnt.
    rarity = torch.ones(read["kind"].shape[-1], device=device)
    rarity[NOTHING] = _BACKGROUND_WEIGHT
    parts = {"kind": functional.cross_entropy(read["kind"].flatten(0, 1), kind.flatten(), weight=rarity)}
    for name in ("colour", "pattern", "size"):
        target = torch.from_numpy(getattr(labels, name)).to(device)
        parts[name] = functional.cross_entropy(read[name].flatten(0, 1), target.flatten(), ignore_index=IGNORED)
    for name in ("background", "style"):
        parts[name] = functional.cross_entropy(read[name], torch.from_numpy(getattr(labels, name)).to(device))
    boxes = torch.from_numpy(labels.box).to(device)
    parts["box"] = functional.smooth_l1_loss(read["box"][owned], boxes[owned], beta=0.05)
    weights = {"kind": 1.0, "colour": 0.5, "pattern": 0.25, "size": 0.1, "background": 0.2, "style": 0.1, "box": 5.0}
    total = sum((weights[name] * part for name, part in parts.items()), torch.zeros((), device=device))
    right = (read["kind"].argmax(-1) == kind)[owned].float().mean()
    return total, {**{name: float(part.detach()) for name, part in parts.items()}, "kind_right": float(right)}


def embed_texts(towers: Towers, tokenizer: Tokenizer, texts: Sequence[str], context_length: int) -> Tensor:
    """Embed texts in order, `(n, dim)`; texts of like length run together, so that little padding is computed."""
    device = next(towers.parameters()).device
    encoded = [item.ids for item in tokenizer.encode_batch(list(texts))]
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    chunk = max(1, -(-len(order) // _LENGTH_GROUPS))
    parts = [
        towers.texts(pad_ids([encoded[index] for index in order[start : start + chunk]], context_length).to(device))
        for start in range(0, len(order), chunk)
    ]
    back = torch.empty(len(order), dtype=torch.long, device=device)
    back[torch.tensor(order, device=device)] = torch.arange(len(order), device=device)
    return torch.cat(parts)[back]


def pad_ids(encoded: Sequence[list[int]], context_length: int) -> Tensor:
    """Token ids `(n, longest)` int64, padded on the right, cut at the context with the end token kept."""
    cut = [ids if len(ids) <= context_length else ids[: context_length - 1] + ids[-1:] for ids in encoded]
    longest = max(len(ids) for ids in cut)
    return torch.tensor([ids + [PAD_ID] * (longest - len(ids)) for ids in cut])
