"""Patches of a vision tower in the space of its texts: each one alone through the last steps of the model's pooling."""

from __future__ import annotations

from typing import Any

from torch import Tensor


def embed_patches(model: Any, pixels: Tensor) -> Tensor:
    """Embed every patch of prepared pictures.

    Args:
        model: a `CLIPModel` or `SiglipModel` in evaluation mode.
        pixels: `(n, 3, side, side)` float32, normalised, on the model's device.

    Returns:
        `(n, rows · columns, dim)` in the weights' dtype, not normalised, row by row from the upper left.
    """
    return _of_siglip(model, pixels) if model.config.model_type == "siglip" else _of_clip(model, pixels)


def _of_siglip(model: Any, pixels: Tensor) -> Tensor:
    """The attention pool of a single patch: value → out-projection → residual MLP."""
    patches = model.vision_model(pixel_values=pixels).last_hidden_state
    alone = patches.reshape(-1, 1, patches.shape[2])
    pooled: Tensor = model.vision_model.head(alone)
    return pooled.reshape(patches.shape)


def _of_clip(model: Any, pixels: Tensor) -> Tensor:
    """Value and out-projection of the last layer, then norm and projection (MaskCLIP: Zhou, Loy and Dai, 2022).

    The class token is the pooled picture, and this is what it reads in a patch when it looks at the patches last.
    """
    tower = model.vision_model
    hidden = tower.pre_layrnorm(tower.embeddings(pixels))
    for layer in tower.encoder.layers[:-1]:
        hidden = layer(hidden, attention_mask=None)
    last = tower.encoder.layers[-1]
    read = last.self_attn.out_proj(last.self_attn.v_proj(last.layer_norm1(hidden[:, 1:])))
    projected: Tensor = model.visual_projection(tower.post_layernorm(read))
    return projected
