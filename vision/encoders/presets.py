"""The encoders that we know by name, as one table of facts; nothing here is loaded or fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Preset:
    """What a user chooses by.

    Attributes:
        name: how it is called on the command line.
        hub_id: `owner/name` of its repository on the hub.
        revision: the commit that we pin (40 hex digits); docs/decisions/0003-model-pinning.md says how we know.
        licence: SPDX identifier of the weights.
        dim: length of one embedding.
        image_px: side of the square input in pixels.
        context_length: tokens of text that are read.
        coco_r1: text→image R@1 on COCO 5K as published, in per cent; None where it does not apply.
        image_gflop: work per image in 10⁹ floating-point operations.
        download_bytes: size of the safetensors weights.
        note: whom it suits.
    """

    name: str
    hub_id: str
    revision: str
    licence: str
    dim: int
    image_px: int
    context_length: int
    coco_r1: float | None
    image_gflop: float
    download_bytes: int
    note: str


_TABLE = (
    Preset(
        name="siglip2-base",
        hub_id="google/siglip2-base-patch16-256",
        revision="3f9f96cb90da5dbc758b01813f2f6f1aee24c1ab",
        licence="Apache-2.0",
        dim=768,
        image_px=256,
        context_length=64,
        coco_r1=53.2,
        image_gflop=47,
        download_bytes=1_501_000_000,
        note="for a CPU",
    ),
    Preset(
        name="siglip2-base-fast",
        hub_id="google/siglip2-base-patch32-256",
        revision="94dffa8cb1179de3e03f091dbc3917e5d5a9ae84",
        licence="Apache-2.0",
        dim=768,
        image_px=256,
        context_length=64,
        coco_r1=47.2,
        image_gflop=11,
        download_bytes=1_508_000_000,
        note="4× less work",
    ),
    Preset(
        name="siglip2-so400m",
        hub_id="google/siglip2-so400m-patch16-256",
        revision="e8708ab72d125807e45b36fb7d4e0aacbb59f379",
        licence="Apache-2.0",
        dim=1152,
        image_px=256,
        context_length=64,
        coco_r1=55.4,
        image_gflop=219,
        download_bytes=4_543_000_000,
        note="best; for a GPU",
    ),
    Preset(
        name="siglip-multilingual",
        hub_id="google/siglip-base-patch16-256-multilingual",
        revision="8952a4eafcde3cb7ab46b1dd629b33f8784ca9c6",
        licence="Apache-2.0",
        dim=768,
        image_px=256,
        context_length=64,
        coco_r1=44.9,
        image_gflop=47,
        download_bytes=1_483_000_000,
        note="many languages",
    ),
    Preset(
        name="clip-vit-b32",
        hub_id="openai/clip-vit-base-patch32",
        # Not the main branch, which holds pickles only: the commit that adds model.safetensors.
        revision="c237dc49a33fc61debc9276459120b7eac67e7ef",
        licence="MIT",
        dim=512,
        image_px=224,
        context_length=77,
        coco_r1=30.4,
        image_gflop=9,
        download_bytes=605_157_884,
        note="the classic",
    ),
)

PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _TABLE})
"""Every preset by its name, in the order to show them."""
