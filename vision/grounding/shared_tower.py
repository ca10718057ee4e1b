"""One vision tower for captions and embeddings: proven equal, tensor by tensor, before it is shared."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vision.batching import Batches
from vision.encoders.arrays import to_unit_length
from vision.encoders.base import Calibration, EncoderFacts
from vision.encoders.batched import BatchedEncoder
from vision.encoders.transformers import TransformersEncoder
from vision.errors import ModelError
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.networks import TorchNetwork
from vision.types import Embeddings

# What a tower computes follows from its tensors and these.
_SETTINGS = ("hidden_act", "layer_norm_eps", "num_attention_heads", "image_size", "patch_size")
_REMEMBERED = 1024


class TowersDifferError(ModelError):
    """The captioner's vision tower is not the encoder's: each has to look for itself."""


class SharedTower(BatchedEncoder):
    """The embeddings of a CLIP from a captioner's own look at a picture. Fulfils `Encoder`.

    Pictures are squashed as the captioner squashes them, so the facts have the captioner's preprocessing: for a CLIP
    whose own is a crop this is another identity than the CLIP's. What the captioner has just looked at is not looked at
    again: the pooled outputs of the last 1,024 pictures are kept (4 MB for the released model).

    `share_tower` makes it. Safe to call from several threads.
    """

    def __init__(self, network: TorchNetwork, encoder: TransformersEncoder, facts: EncoderFacts) -> None:
        self._tower = network.model.vision_model
        self._network = network
        self._encoder = encoder
        self._facts = facts
        self._image_batches: Batches = encoder.picture_batches
        self._looks = _Looks()
        weakref.finalize(self, self._tower.register_forward_hook(self._looks.note, with_kwargs=True).remove)

    @property
    def facts(self) -> EncoderFacts:
        """The CLIP's, with the captioner's preprocessing."""
        return self._facts

    @property
    def calibration(self) -> Calibration:
        """The CLIP's."""
        return self._encoder.calibration

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts as the CLIP does; `(n, dim)` float32, L2-normalised."""
        return self._encoder.encode_text(texts)

    def _embed_pixels(self, pixels: NDArray[np.uint8], first: int) -> Embeddings:
        shown = torch.from_numpy(self._facts.preprocessing.normalise(pixels))
        shown = shown.to(self._network.device, self._network.dtype)
        pooled = self._looks.recall(shown)
        unseen = [row for row, known in enumerate(pooled) if known is None]
        with torch.inference_mode():
            if unseen:
                seen = self._tower(pixel_values=shown[unseen]).pooler_output.cpu()
                for row, output in zip(unseen, seen, strict=True):
                    pooled[row] = output
            together = torch.stack([output for output in pooled if output is not None])
            raw = self._encoder.model.visual_projection(together.to(shown.device)).float().cpu().numpy()
        return to_unit_length(raw, first=first, kind="image")


def share_tower(captioner: Kosmos2Captioner, encoder: TransformersEncoder) -> SharedTower:
    """Prove that two vision towers are one, keep one copy of its weights, and embed with it.

    Every tensor is compared, which takes about as long as reading both once (0.3 billion numbers for the released
    model). Afterwards the encoder uses the captioner's tensors, and the memory of its own is free.

    Args:
        captioner: a Kosmos-2 in PyTorch.
        encoder: a CLIP of the transformers backend, in the same precision.

    Raises:
        TowersDifferError: a tensor, or a setting beside the tensors, differs; the message names the first.
    """
    network = captioner.network
    if not isinstance(network, TorchNetwork):
        raise _differ(captioner, encoder, "the captioner was exported, so its tower cannot be looked into")
    clip = encoder.model
    if clip.config.model_type != "clip":
        raise _differ(captioner, encoder, f"the encoder is no CLIP but {clip.config.model_type!r}")
    ours, theirs = network.config.vision_config, clip.config.vision_config
    for name in _SETTINGS:
        if getattr(ours, name) != getattr(theirs, name):
            raise _differ(captioner, encoder, f"{name} is {getattr(ours, name)!r} and {getattr(theirs, name)!r}")
    _check_colours(captioner, encoder)
    tower = network.model.vision_model.model
    difference = first_difference(tower.state_dict(), clip.vision_model.state_dict())
    if difference is not None:
        raise _differ(captioner, encoder, difference)
    clip.vision_model.load_state_dict(tower.state_dict(), assign=True)
    return SharedTower(network, encoder, replace(encoder.facts, preprocessing=captioner.facts.preprocessing))


def first_difference(ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> str | None:
    """Say in words where two sets of tensors first differ, by name; None where every number is the same."""
    for name in sorted({*ours, *theirs}):
        if name not in ours or name not in theirs:
            return f"only {'the encoder' if name in theirs else 'the captioner'} has {name}"
        mine, other = ours[name], theirs[name]
        if mine.shape != other.shape or mine.dtype != other.dtype:
            return f"{name} is {tuple(mine.shape)} {mine.dtype} and {tuple(other.shape)} {other.dtype}"
        if not torch.equal(mine, other.to(mine.device)):
            apart = (mine.double() - other.to(mine.device).double()).abs().max()
            return f"{name} differs by up to {float(apart):.3g}"
    return None


class _Looks:
    """The last pooled outputs of a tower, by the exact pixels that it saw."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pooled: OrderedDict[bytes, Tensor] = OrderedDict()

    def note(self, _module: Any, arguments: tuple[Any, ...], named: Mapping[str, Any], output: Any) -> None:
        """Remember what a forward pass of the tower gave, whoever asked for it."""
        pixels = named["pixel_values"] if "pixel_values" in named else arguments[0]
        kept = output.pooler_output.detach().cpu()
        with self._lock:
            for key, pooled in zip(_keys(pixels), kept, strict=True):
                self._pooled[key] = pooled.clone()
                self._pooled.move_to_end(key)
            while len(self._pooled) > _REMEMBERED:
                self._pooled.popitem(last=False)

    def recall(self, pixels: Tensor) -> list[Tensor | None]:
        """For each of `(n, 3, side, side)` pixels the pooled output `(width,)` on the CPU, or None if not seen."""
        keys = _keys(pixels)
        with self._lock:
            return [self._pooled.get(key) for key in keys]


def _keys(pixels: Tensor) -> list[bytes]:
    rows = pixels.detach().cpu().contiguous().view(torch.uint8).numpy()
    return [hashlib.blake2b(row.tobytes(), digest_size=20).digest() for row in rows]


def _check_colours(captioner: Kosmos2Captioner, encoder: TransformersEncoder) -> None:
    ours, theirs = captioner.facts.preprocessing, encoder.facts.preprocessing
    for name in ("resample", "rescale", "mean", "std"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        if not np.allclose(mine, other):
            raise _differ(captioner, encoder, f"their preprocessing has {name} {mine} and {other}")


def _differ(captioner: Kosmos2Captioner, encoder: TransformersEncoder, reason: str) -> TowersDifferError:
    return TowersDifferError(
        f"{captioner.facts.name} and {encoder.facts.name} do not see alike: {reason}",
        remedy="Use them side by side: the encoder for search, the captioner for words.",
    )
