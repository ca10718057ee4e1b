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
GRID = 32


@dataclass(frozen=True, slots=True)
class CaptionerSettings:
    """The shape of the language model; the vision tower has the dual encoder's shape.

    Attributes:
        width: width of a layer; a multiple of `heads` and of 4.
        layers: decoder layers.
        heads: attention heads.
        vocabulary: word pieces to learn, without tags and locations.
    """

    width: int = 192
    layers: int = 4
    heads: int = 4
    vocabulary: int = 3000


@dataclass(frozen=True, slots=True)
class Packed:
    """Several questions about each picture behind one shared image prefix.

    Attributes:
        ids: `(n, length)` int64 token ids, padded on the right.
        positions: `(n, length)` int64; every segment counts on from the end of the prefix, as if it stood there alone.
        segment: `(n, length)` int64; 0 is the prefix, 1… the segments, -1 padding.
        answer: `(n, length)` bool; where the token is part of an answer and is to be predicted.
    """

    ids: Tensor
    positions: Tensor
    segment: Tensor
    answer: Tensor


def build_captioner(
    settings: CaptionerSettings, encoder: CLIPModel, processor: Kosmos2Processor
) -> Kosmos2ForConditionalGeneration:
    """A Kosmos-2 with a random language model and the encoder's vision tower, weight for weight.

    Locations start as waves over the 32×32 grid, so that neighbouring cells begin as neighbours.
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
            "image_size": seen.image_size,
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
    model.vision_model.load_state_dict(tower)
    first = first_location(processor)
    with torch.no_grad():
        embeddings = model.text_model.model.embed_tokens.weight
        embeddings[first : first + GRID * GRID] += waves(GRID, settings.width) * 0.02
    return model


def first_location(processor: Kosmos2Processor) -> int:
    """The id of `<patch_index_0000>`; the other locations follow."""
    return int(processor.tokenizer.convert_tokens_to_ids("<patch_index_0000>"))


def see(model: Kosmos2ForConditionalGeneration, pixels: Tensor) -> Tensor:
    """The features that the image projection reads: `(n, 1 + patches, width)`, each of unit length."""
    tower = model.vision_model
    return functional.normalize(tower.model.post_layernorm(tower(pixel_values=pixels)[0]), dim=-1)


def read_packed(model: Kosmos2ForConditionalGeneration, features: Tensor, packed: Packed) -> Tensor:
    """Logits for every answer token of a packed batch, `(answers, vocabulary)` float32, in row-major order.

    The layers are run directly because the model's own forward takes no mask between segments. A segment sees the
    prefix and itself, so its logits equal those of the model's forward on prefix and segment alone (a test holds this).
    """
    decoder = model.text_model.model
    image, _ = model.image_to_text_projection(features)
    slots = torch.zeros_like(packed.ids, dtype=torch.bool)
    slots[:, 2 : 2 + LATENTS] = True  # behind `<s>` and `<image>`
    hidden = decoder.forward_embedding(
        packed.ids, image_embeds=image, img_input_mask=slots, position_ids=packed.positions.contiguous()
    )
    mask = _mask(packed.segment, hidden.dtype if not torch.is_autocast_enabled("cpu") else torch.bfloat16)
    for layer in decoder.layers:
        hidden = layer(hidden, mask)
    hidden = decoder.layer_norm(hidden)
    before = hidden[:, :-1][packed.answer[:, 1:]]
    logits: Tensor = model.text_model.lm_head(before).float()
    return logits


def _mask(segment: Tensor, dtype: torch.dtype) -> Tensor:
    """Additive mask `(n, 1, length, length)`: causal, and only the prefix and a token's own segment are seen."""
    length = segment.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segment.device).tril()
    same = segment[:, :, None] == segment[:, None, :]
    prefix = (segment == 0)[:, None, :]
    seen = causal & (same | prefix)
    return torch.zeros(seen.shape, dtype=dtype, device=segment.device).masked_fill(~seen, torch.finfo(dtype).min)[
        :, None
    ]


def prefix_ids(processor: Kosmos2Processor) -> list[int]:
    """The ids that every prompt starts with: `<s>`, `<image>`, 64 slots, `</image>`."""
    blank = torch.zeros(3, 8, 8, dtype=torch.uint8).numpy()
    encoded = processor(text="<grounding>", images=[blank], return_tensors=None)["input_ids"]
    ids: Sequence[int] = encoded[0] if isinstance(encoded[0], list) else encoded
    return list(ids[: LATENTS + 3])


def save_captioner(model: Kosmos2ForConditionalGeneration, processor: Kosmos2Processor, folder: Path) -> None:
    """Write the folder that the product loads: half-precision safetensors, tokenizer, processor."""
    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).half().save_pretrained(folder)
    processor.save_pretrained(folder)


def language_modules(model: Kosmos2ForConditionalGeneration) -> dict[str, nn.Module]:
    """What is trained: everything but the vision tower."""
    for parameter in model.vision_model.parameters():
        parameter.requires_grad_(False)
    return {"text_model": model.text_model, "image_to_text_projection": model.image_to_text_projection}


def look_at_patches(model: Kosmos2ForConditionalGeneration, features: Tensor, *, steps: int = 200) -> None:
    """Set the image projection so that each of its latents begins by looking at one patch.

    Random latents all begin with the average of the picture, which says nothing about where a thing is, and to learn to
    look apart takes longer than everything else. So the queries and keys are first fitted alone, to pick each patch out
    of its picture by its features.

    Args:
        model: a model whose image projection is as wide as its vision tower.
        features: `(pictures, 1 + patches, width)` of some training pictures, as `see` makes them.
        steps: of the fit.
    """
    projection = model.image_to_text_projection
    width, size = projection.dense.out_features, projection.x_attn.head_dim
    patches = features[:, 1:]
    middle, spread = patches.mean((0, 1)), patches.std()
    wanted = torch.arange(LATENTS, device=features.device) * patches.shape[1] // LATENTS
    keys = nn.Parameter(torch.randn(size, width, device=features.device) * 0.02)
    queries = nn.Parameter(torch.randn(LATENTS, size, device=features.device) * 0.5)
    optimiser = torch.optim.Adam([keys, queries], 0.02)
    for step in range(steps):
        some = (patches.roll(-step * 64, 0)[:64] - middle) / spread
        scores = torch.einsum("lk,npk->nlp", queries, some @ keys.T)
        loss = functional.cross_entropy(scores.flatten(0, 1), wanted.repeat(len(some)))
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
