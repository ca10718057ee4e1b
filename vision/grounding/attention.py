"""Looks once more at what was written, with every attention weight kept: words to patches."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vision.grounding.entities import read_entities
from vision.grounding.seeing import AttentionMaps, PatchTokens, words_of
from vision.grounding.vocabulary import Vocabulary


class Watcher:
    """Reads texts behind pictures with the library's plain attention: the fused one keeps no weights.

    The weights are shared with the model, not copied, and the model's own attention is left as it is, so that other
    threads may write while this one watches.

    Args:
        model: a `Kosmos2ForConditionalGeneration` in evaluation mode.
        vocabulary: of the same folder.
    """

    def __init__(self, model: Any, vocabulary: Vocabulary) -> None:
        self._model = _plain_twin(model)
        self._vocabulary = vocabulary
        config = model.config
        self._side = int(config.vision_config.image_size) // int(config.vision_config.patch_size)
        self._first_position = int(config.text_config.pad_token_id) + 1

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self._model.device
        return device

    def patch_tokens(self, pixels: Tensor) -> PatchTokens:
        """Look at `(n, 3, side, side)` normalised pixels."""
        features = self._features(pixels)
        latents = self._model.image_to_text_projection(features)[0]
        positions = self._model.vision_model.model.embeddings.position_embedding.weight
        middles = (torch.arange(self._side, dtype=torch.float32) + 0.5) / self._side
        rows, columns = torch.meshgrid(middles, middles, indexing="ij")
        return PatchTokens(
            patches=_array(features[:, 1:].reshape(len(features), self._side, self._side, -1)),
            overall=_array(features[:, 0]),
            positions=_array(positions),
            centres_xy=_array(torch.stack([columns, rows], dim=-1)),
            latents=_array(latents),
        )

    def watch(self, pixels: Tensor, prompt: Sequence[int], answer: Sequence[int]) -> AttentionMaps:
        """Read one picture, its prompt and its answer, and map the answer's words.

        The weight of a token is that of the row before it, which chose it; the picture's places in that row are
        carried on to the patches by the weights with which the resampler filled them.

        Args:
            pixels: `(1, 3, side, side)`, normalised.
            prompt: ids behind the prefix.
            answer: ids behind the prompt.
        """
        projected, weights = self._model.image_to_text_projection(self._features(pixels))
        # Mean over heads: `(image_tokens, 1 + patches + image_tokens)`, every row sums to 1.
        to_patches = weights[0].float().mean(0)[:, 1 : 1 + self._side**2]
        on_patches = to_patches.sum(1)
        ids = [*self._vocabulary.prefix, *prompt, *answer]
        first = len(ids) - len(answer)
        to_picture = self._read(projected, ids)[first - 1 : -1, self._vocabulary.image_slots]
        on_picture = to_picture.sum(1)
        heat = to_picture @ (to_patches / on_patches[:, None].clamp(min=1e-12))
        off_patches = 1 - (to_picture @ on_patches) / on_picture.clamp(min=1e-12)
        return self._by_word(answer, heat, 1 - on_picture, off_patches)

    def _features(self, pixels: Tensor) -> Tensor:
        tower = self._model.vision_model
        seen = tower(pixel_values=pixels.to(self._model.device, self._model.dtype))[0]
        return functional.normalize(tower.model.post_layernorm(seen), dim=-1)

    def _read(self, latents: Tensor, ids: Sequence[int]) -> Tensor:
        """Attention averaged over layers and heads, `(tokens, tokens)` float32."""
        tokens = torch.tensor([list(ids)], device=self.device)
        slots = torch.zeros_like(tokens, dtype=torch.bool)
        slots[:, self._vocabulary.image_slots] = True
        positions = torch.arange(len(ids), device=self.device)[None] + self._first_position
        output = self._model.text_model.model(
            input_ids=tokens,
            attention_mask=torch.ones_like(tokens),
            image_embeds=latents,
            image_embeds_position_mask=slots,
            position_ids=positions,
            use_cache=False,
            output_attentions=True,
        )
        layers = [layer[0].float().mean(0) for layer in output.attentions]
        return torch.stack(layers).mean(0)

    def _by_word(self, answer: Sequence[int], heat: Tensor, off_picture: Tensor, off_patches: Tensor) -> AttentionMaps:
        reading = read_entities(self._vocabulary.pieces(answer))
        words = list(words_of(reading.text, reading.spans))
        maps = [heat[pieces].mean(0) for _, pieces in words]
        maps = [(one / one.sum().clamp(min=1e-12)).reshape(self._side, self._side) for one in maps]
        empty = heat.new_zeros(0, self._side, self._side)
        return AttentionMaps(
            text=reading.text,
            words=tuple(span for span, _ in words),
            heat=_array(torch.stack(maps) if maps else empty),
            off_picture=_array(_per_word(off_picture, words)),
            off_patches=_array(_per_word(off_patches, words)),
        )


def _per_word(shares: Tensor, words: Sequence[tuple[Any, list[int]]]) -> Tensor:
    means = [shares[pieces].mean() for _, pieces in words]
    return (torch.stack(means) if means else shares.new_zeros(0)).clamp(0, 1)


def _plain_twin(model: Any) -> Any:
    """A model of the same tensors whose attention is the library's plain implementation."""
    with torch.device("meta"):
        twin = type(model)(copy.deepcopy(model.config))
    twin.set_attn_implementation("eager")
    for name, module in model.named_modules():
        if next(module.children(), None) is None:
            twin.set_submodule(name, module)
        else:
            # A few modules hold numbers of their own beside their parts: the class token, the latents' queries.
            ours = twin.get_submodule(name)
            ours._parameters.update(module._parameters)
            ours._buffers.update(module._buffers)
    return twin.eval().requires_grad_(False)


def _array(tensor: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array
