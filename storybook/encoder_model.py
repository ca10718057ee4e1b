"""The storybook's dual encoder: a small transformers CLIP, and the heads that teach its patches what they show."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPConfig, CLIPModel

from storybook.tokenizers import BOS_ID, EOS_ID, PAD_ID, save_encoder_tokenizer
from storybook.world import BACKGROUNDS, COLOURS, PATTERNS, SIZES, STYLES, THINGS

# The processors of the CLIP family write these; any fixed values would do, equal ones keep the folders alike.
IMAGE_MEAN = (0.48145466, 0.4578275, 0.40821073)
IMAGE_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """The shape of the dual encoder.

    Attributes:
        image_px: side of the square input.
        patch_px: side of one patch; `(image_px / patch_px)²` patches and one class token are read.
        width: vision width; a multiple of `heads`.
        layers: vision layers.
        heads: attention heads of the vision tower.
        text_width: text width.
        text_layers: text layers.
        text_heads: attention heads of the text tower.
        dim: length of an embedding.
        context_length: tokens of text that are read.
    """

    image_px: int = 128
    patch_px: int = 16
    width: int = 192
    layers: int = 4
    heads: int = 4
    text_width: int = 192
    text_layers: int = 2
    text_heads: int = 4
    dim: int = 192
    context_length: int = 96


def build_encoder(settings: EncoderSettings, *, vocabulary: int) -> CLIPModel:
    """A CLIP with random weights, whose patch positions start as two-dimensional waves (He et al., 2022).

    Raises:
        ValueError: a width is not a multiple of its heads, or the image not of its patches.
    """
    if settings.image_px % settings.patch_px:
        raise ValueError(f"image_px {settings.image_px} is not a multiple of patch_px {settings.patch_px}")
    config = CLIPConfig(
        text_config={
            "vocab_size": vocabulary,
            "hidden_size": settings.text_width,
            "intermediate_size": settings.text_width * 4,
            "num_hidden_layers": settings.text_layers,
            "num_attention_heads": settings.text_heads,
            "max_position_embeddings": settings.context_length,
            "hidden_act": "gelu",
            "pad_token_id": PAD_ID,
            "bos_token_id": BOS_ID,
            "eos_token_id": EOS_ID,
        },
        vision_config={
            "hidden_size": settings.width,
            "intermediate_size": settings.width * 4,
            "num_hidden_layers": settings.layers,
            "num_attention_heads": settings.heads,
            "image_size": settings.image_px,
            "patch_size": settings.patch_px,
            "hidden_act": "gelu",
        },
        projection_dim=settings.dim,
    )
    model = CLIPModel(config)
    # On a CPU, the fused attention's backward pass takes longer than all the matrix products (measured).
    model.set_attn_implementation("eager")
    side = settings.image_px // settings.patch_px
    positions = _named(model, "position_embedding.weight", "vision_model")
    with torch.no_grad():
        positions[1:] = waves(side, settings.width) * 0.5
        patches = _named(model, "patch_embedding.weight", "vision_model")
        patches.copy_(cosines(settings.patch_px, settings.width) * 0.5)
    return model


def cosines(patch_px: int, count: int) -> Tensor:
    """The first patterns of the discrete cosine transform of a patch, coarse before fine, for each colour channel.

    Drawn things are flat colours with edges, which few of these describe; random filters would have to find them first.

    Returns:
        `(count, 3, patch_px, patch_px)` float32, each of length 1; black, red against green and blue against yellow
        take turns.
    """
    steps = torch.arange(patch_px)
    waves_1d = torch.cos(torch.pi * (steps[None, :] + 0.5) * steps[:, None] / patch_px)
    waves_1d = waves_1d / waves_1d.norm(dim=1, keepdim=True)
    order = sorted((u * u + v * v, u, v) for u in range(patch_px) for v in range(patch_px))
    opponents = torch.tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [-0.5, -0.5, 1.0]])
    opponents = opponents / opponents.norm(dim=1, keepdim=True)
    filters = []
    for number in range(count):
        _, u, v = order[(number // 3) % len(order)]
        plane = waves_1d[u][:, None] * waves_1d[v][None, :]
        filters.append(opponents[number % 3][:, None, None] * plane)
    return torch.stack(filters)


def waves(side: int, width: int) -> Tensor:
    """Sine and cosine of row and column at `width / 4` frequencies; `(side², width)` float32, row-major."""
    quarter = width // 4
    rates = 1.0 / (100.0 ** (torch.arange(quarter) / quarter))
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    angles = [axis.reshape(-1, 1) * rates * torch.pi / side * 2 for axis in (rows, columns)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1).float()


class DenseHeads(nn.Module):
    """Linear read-outs of every patch: the kind and colour of the thing that fills it, and that thing's box.

    They are trained with the tower and then dropped; the world knows all of it, so no label is guessed.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.kind = nn.Linear(width, len(THINGS) + 1)  # the last class is "nothing but background"
        self.colour = nn.Linear(width, len(COLOURS))
        self.pattern = nn.Linear(width, len(PATTERNS))
        self.size = nn.Linear(width, len(SIZES))
        self.box = nn.Linear(width, 4)
        self.background = nn.Linear(width, len(BACKGROUNDS))
        self.style = nn.Linear(width, len(STYLES))

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Read features `(n, 1 + patches, width)`, each of unit length, as the captioner will see them."""
        scaled = features * self.width**0.5
        patches, whole = scaled[:, 1:], scaled[:, 0]
        read = {name: getattr(self, name)(patches) for name in ("kind", "colour", "pattern", "size", "box")}
        return read | {"background": self.background(whole), "style": self.style(whole)}


class Towers(nn.Module):
    """The two towers as training needs them: unit embeddings, and the unit features of every patch."""

    def __init__(self, model: CLIPModel) -> None:
        super().__init__()
        self.clip = model
        # The threshold of "this phrase is in this picture"; a search ranks, so the shipped model has no use for it.
        self.presence_bias = nn.Parameter(torch.tensor(-4.0))
        self.presence_scale = nn.Parameter(torch.tensor(2.5))

    def images(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels `(n, 3, px, px)` to embeddings `(n, dim)` and features `(n, 1 + patches, width)`, of unit length."""
        vision = self.clip.vision_model
        output = vision(pixel_values=pixels)
        inner = getattr(vision, "vision_model", vision)
        features = functional.normalize(inner.post_layernorm(output.last_hidden_state).float(), dim=-1)
        embeddings = functional.normalize(self.clip.visual_projection(output.pooler_output).float(), dim=-1)
        return embeddings, features

    def texts(self, ids: Tensor) -> Tensor:
        """Token ids `(n, length)`, padded on the right, to unit embeddings `(n, dim)`."""
        # The text tower is causal and reads its answer at the end token, so padding behind it changes nothing.
        output = self.clip.text_model(input_ids=ids)
        return functional.normalize(self.clip.text_projection(output.pooler_output).float(), dim=-1)


def save_encoder(model: CLIPModel, tokenizer: Tokenizer, settings: EncoderSettings, folder: Path) -> None:
    """Write the folder that the product loads: half-precision safetensors, tokenizer, preprocessing."""
    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).half().save_pretrained(folder)
    save_encoder_tokenizer(tokenizer, folder, context_length=settings.context_length)
    preprocessing = {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        # The whole picture is squashed to the square: a crop would hide things that a caption names.
        "size": {"height": settings.image_px, "width": settings.image_px},
        "resample": 3,
        "do_center_crop": False,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(IMAGE_MEAN),
        "image_std": list(IMAGE_STD),
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing, indent=2) + "\n", encoding="utf-8")


def normalise(pictures: NDArray[np.uint8]) -> Tensor:
    """`(n, px, px, 3)` uint8 RGB to `(n, 3, px, px)` float32 as the shipped preprocessing makes it."""
    scaled = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div_(255)
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGE_MEAN, IMAGE_STD))
    return scaled.sub_(mean).div_(std)


def _named(model: nn.Module, ending: str, within: str) -> nn.Parameter:
    for name, parameter in model.named_parameters():
        if name.endswith(ending) and within in name:
            return parameter
    raise ValueError(f"no parameter …{ending} in {within}")
