"""Kosmos-2 as three plain modules for tracing: masks and positions come in, so does the past; what is new goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Eyes(nn.Module):
    """Pixels to latents.

    Args:
        model: a `Kosmos2ForConditionalGeneration` with plain attention.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.tower = model.vision_model
        self.resampler = model.image_to_text_projection

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return `(n, image_tokens, width)` for `(n, 3, side, side)`."""
        seen = self.tower(pixel_values=pixel_values)[0]
        features = functional.normalize(self.tower.model.post_layernorm(seen), dim=-1)
        latents: Tensor = self.resampler(features)[0]
        return latents


class Embedding(nn.Module):
    """Ids to the raw vectors that latents may replace."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.table = model.text_model.model.embed_tokens

    def forward(self, input_ids: Tensor) -> Tensor:
        """Return `(n, tokens, width)`."""
        vectors: Tensor = self.table(input_ids)
        return vectors


class Decoder(nn.Module):
    """Vectors and the past to logits and what is new of keys and values; see `vision.grounding.onnx_reader`."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        text = model.text_model
        self.scale = float(text.model.embed_scale)
        self.register_buffer("positions", text.model.embed_positions.weights.float())
        self.layers = text.model.layers
        self.norm = text.model.layer_norm
        self.head = text.lm_head

    def forward(
        self,
        inputs_embeds: Tensor,
        past_attention_mask: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        kept: Tensor,
        past_key_values: Sequence[Tensor],
    ) -> list[Tensor]:
        """Return logits `(n, k, vocabulary)` and every layer's new keys and values `(n, heads, tokens, width)`.

        Args:
            inputs_embeds: `(n, tokens, width)`.
            past_attention_mask: `(n, room)` bool, which places of the past every token sees.
            attention_mask: `(n, tokens, tokens)` bool, which of the tokens each of them sees.
            position_ids: `(n, tokens)`.
            kept: `(k,)`, which tokens' logits are wanted.
            past_key_values: keys and values of each layer in turn, `(n, heads, room, width of a head)`.
        """
        table: Tensor = self.get_buffer("positions")
        hidden = inputs_embeds * self.scale + functional.embedding(position_ids, table)
        behind, among = _bias(past_attention_mask)[:, None, None], _bias(attention_mask)[:, None]
        new: list[Tensor] = []
        for number, layer in enumerate(self.layers):
            keys, values = past_key_values[2 * number], past_key_values[2 * number + 1]
            normed = layer.self_attn_layer_norm(hidden)
            attended, own_keys, own_values = _attend(layer.self_attn, normed, keys, values, (behind, among))
            hidden = hidden + attended
            hidden = hidden + layer.ffn(layer.final_layer_norm(hidden))
            new += [own_keys, own_values]
        logits: Tensor = self.head(self.norm(hidden).index_select(1, kept))
        return [logits, *new]


def _bias(visible: Tensor) -> Tensor:
    nothing = torch.zeros((), dtype=torch.float32)
    return torch.where(visible, nothing, torch.full((), torch.finfo(torch.float32).min))


def _attend(
    attention: Any, hidden: Tensor, keys: Tensor, values: Tensor, bias: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Attention over the past and the new tokens without joining their buffers, which would copy the past."""
    heads = (*hidden.shape[:2], attention.num_heads, attention.head_dim)
    queries = attention.q_proj(hidden).view(heads).transpose(1, 2) * attention.scaling
    own_keys = attention.k_proj(hidden).view(heads).transpose(1, 2)
    own_values = attention.v_proj(hidden).view(heads).transpose(1, 2)
    behind = queries @ keys.transpose(2, 3) + bias[0]
    among = queries @ own_keys.transpose(2, 3) + bias[1]
    weights = torch.cat([behind, among], dim=-1).softmax(dim=-1)
    room = keys.shape[2]
    read = weights[..., :room] @ values + weights[..., room:] @ own_values
    joined = attention.inner_attn_ln(read.transpose(1, 2).flatten(2))
    return attention.out_proj(joined), own_keys, own_values
