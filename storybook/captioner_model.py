"""The storybook's captioner: a small Kosmos-2 that looks through the dual encoder's own vision tower."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPModel, Kosmos2Config, Kosmos2ForConditionalGeneration, Kosmos2Processor

from storybook.encoder_model import waves
from storybook.language import LANGUAGES

LATENTS = 64
LATENT_SIDE = 8
GRID = 32


@dataclass(frozen=True, slots=True)
class CaptionerSettings:
    """The shape of the language model and of its pictures; the vision tower's layers have the dual encoder's shape.

    Attributes:
        image_px: side of the square input, with the encoder's patches: at 256 px the released model's 16×16. Small
            things need them: of those that fill one to three patches, the encoder's 8×8 misses a quarter.
        width: width of a layer; a multiple of `heads` and of 4.
        layers: decoder layers.
        heads: attention heads.
        vocabulary: word pieces to learn, without tags and locations.
    """

    image_px: int = 256
    width: int = 192
    layers: int = 4
    heads: int = 4
    vocabulary: int = 3000


class Places(nn.Module):
    """Location tokens as the sum of a row's and a column's vector, for the time of the training.

    A corner is then learnt as two of 32 rather than as one of 1,024, and every box teaches all places in its row and
    column. The sums are written into the model that ships.

    Args:
        width: of the language model.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        start = waves(GRID, width).reshape(GRID, GRID, width)
        self.rows = nn.Parameter(start[:, 0] * 0.02)
        self.columns = nn.Parameter(start[0] * 0.02)

    def forward(self) -> Tensor:
        """The vectors of all locations, `(1024, width)`, row by row."""
        return (self.rows[:, None] + self.columns[None]).flatten(0, 1)

    def joined(self, model: Kosmos2ForConditionalGeneration, first: int) -> Tensor:
        """The model's token embeddings `(vocabulary, width)` with these locations from id `first` on."""
        words = model.text_model.model.embed_tokens.weight
        return torch.cat([words[:first], self(), words[first + GRID * GRID :]])


def build_captioner(
    settings: CaptionerSettings, encoder: CLIPModel, processor: Kosmos2Processor
) -> Kosmos2ForConditionalGeneration:
    """A Kosmos-2 with a random language model, whose vision tower starts as the encoder's.

    Its positions are the encoder's, interpolated to the finer grid of a larger picture.
    """
    seen = encoder.config.vision_config
    tokenizer = processor.tokenizer
    config = Kosmos2Config(
        text_config={
            "vocab_size": len(tokenizer),
            "embed_dim": settings.width,
            "layers": settings.layers,
            "ffn_dim": settings.width * 4,
            "attention_heads": settings.heads,
            "max_position_embeddings": 512,
            "dropout": 0.0,
            "attention_dropout": 0.0,
            "activation_dropout": 0.0,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "hidden_size": seen.hidden_size,
            "intermediate_size": seen.intermediate_size,
            "num_hidden_layers": seen.num_hidden_layers,
            "num_attention_heads": seen.num_attention_heads,
            "image_size": settings.image_px,
            "patch_size": seen.patch_size,
            "hidden_act": seen.hidden_act,
            "layer_norm_eps": seen.layer_norm_eps,
        },
        latent_query_num=LATENTS,
        # Beside the weights, so that a folder says by itself in which languages it may be asked.
        languages=list(LANGUAGES),
    )
    model = Kosmos2ForConditionalGeneration(config)
    # As for the dual encoder: on a CPU the fused attention's backward pass is the slower one.
    model.set_attn_implementation("eager")
    tower = {f"model.{name}": value for name, value in encoder.vision_model.state_dict().items()}
    for name in [name for name in tower if name.endswith("position_embedding.weight")]:
        tower[name] = finer_positions(tower[name], settings.image_px // seen.patch_size)
    model.vision_model.load_state_dict(tower)
    return model


def finer_positions(positions: Tensor, side: int) -> Tensor:
    """Interpolate position embeddings `(1 + old², width)` to `side` patches per side; the class token's stays."""
    old = round((len(positions) - 1) ** 0.5)
    grid = positions[1:].T.reshape(1, -1, old, old)
    fine = functional.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    return torch.cat([positions[:1], fine.flatten(2)[0].T])


def first_location(processor: Kosmos2Processor) -> int:
    """The id of `<patch_index_0000>`; the other locations follow."""
    return int(processor.tokenizer.convert_tokens_to_ids("<patch_index_0000>"))


def see(model: Kosmos2ForConditionalGeneration, pixels: Tensor) -> Tensor:
    """The features that the image projection reads: `(n, 1 + patches, width)`, each of unit length."""
    tower = model.vision_model
    return functional.normalize(tower.model.post_layernorm(tower(pixel_values=pixels)[0]), dim=-1)


def own_patches(patches: int) -> Tensor:
    """Which patches lie in the square of each latent, `(64, patches)` float32, 1 or 0.

    Where there are fewer patches than latents, several latents share one.
    """
    side = round(patches**0.5)
    middles = (torch.arange(max(side, LATENT_SIDE)) + 0.5) / max(side, LATENT_SIDE)
    same = torch.zeros(LATENT_SIDE, side)
    same[(middles * LATENT_SIDE).long(), (middles * side).long()] = 1.0
    return torch.kron(same, same)


def prefix_ids(processor: Kosmos2Processor) -> list[int]:
    """The ids that every prompt starts with: `<s>`, `<image>`, 64 slots, `</image>`."""
    blank = torch.zeros(3, 8, 8, dtype=torch.uint8).numpy()
    encoded = processor(text="<grounding>", images=[blank], return_tensors=None)["input_ids"]
    ids: Sequence[int] = encoded[0] if isinstance(encoded[0], list) else encoded
    return list(ids[: LATENTS + 3])


def save_captioner(
    model: Kosmos2ForConditionalGeneration, places: Places, processor: Kosmos2Processor, folder: Path
) -> None:
    """Write the folder that the product loads: half-precision safetensors, tokenizer, processor."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = copy.deepcopy(model)
    with torch.no_grad():
        tokens = whole.text_model.model.embed_tokens.weight
        tokens.copy_(places.joined(whole, first_location(processor)))
        whole.text_model.lm_head.weight.copy_(tokens)
    whole.half().save_pretrained(folder)
    processor.save_pretrained(folder)


def look_at_patches(model: Kosmos2ForConditionalGeneration, features: Tensor, *, steps: int = 200) -> None:
    """Set the image projection so that each of its latents begins by looking at its own square of the picture.

    Random latents all begin with the average of the picture, which says nothing about where a thing is, and to learn to
    look apart takes longer than everything else. So the queries and keys are first fitted alone, to pick the patches of
    each of 8×8 squares out of their picture by their features.

    Args:
        model: a model whose image projection is as wide as its vision tower.
        features: `(pictures, 1 + patches, width)` of some training pictures, as `see` makes them.
        steps: of the fit.
    """
    projection = model.image_to_text_projection
    width, size = projection.dense.out_features, projection.x_attn.head_dim
    patches = features[:, 1:]
    middle, spread = patches.mean((0, 1)), patches.std()
    own = own_patches(patches.shape[1]).to(features.device)
    keys = nn.Parameter(torch.randn(size, width, device=features.device) * 0.02)
    queries = nn.Parameter(torch.randn(LATENTS, size, device=features.device) * 0.5)
    optimiser = torch.optim.Adam([keys, queries], 0.02)
    for step in range(steps):
        some = (patches.roll(-step * 64, 0)[:64] - middle) / spread
        scores = torch.einsum("lk,npk->nlp", queries, some @ keys.T)
        paid = scores.softmax(-1).mul(own).sum(-1)
        loss = -paid.clamp(min=1e-6).log().mean()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        optimiser.step()
        optimiser.zero_grad()
    with torch.no_grad():
        reader = keys / spread
        # Latents live where the reader sees nothing, so that they, which are keys too, draw no attention to themselves.
        _, _, basis = torch.linalg.svd(reader, full_matrices=True)
        hidden = basis[-size:]
        heads = width // size
        for layer, weight in (
            (projection.dense, torch.eye(width, features.shape[-1])),
            (projection.x_attn.k_proj, reader.repeat(heads, 1)),
            (projection.x_attn.q_proj, hidden.repeat(heads, 1)),
            (projection.x_attn.v_proj, torch.eye(width)),
            (projection.x_attn.out_proj, torch.eye(width)),
        ):
            layer.weight.copy_(weight)
            layer.bias.zero_()
        projection.x_attn.k_proj.bias.copy_(-(reader @ middle).repeat(heads))
        projection.latent_query.copy_(size**0.5 * queries @ hidden)
