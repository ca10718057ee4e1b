"""The translators that we know by name, as one table of facts; nothing here is loaded or fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class TranslatorPreset:
    """What a user chooses by.

    Attributes:
        name: how it is called on the command line.
        hub_id: `owner/name` of its repository on the hub.
        revision: the commit that we pin; docs/decisions/0014-translation.md says how we know.
        licence: SPDX identifier of the weights.
        languages: how many it translates between.
        download_bytes: size of the safetensors weights.
        note: whom it suits.
    """

    name: str
    hub_id: str
    revision: str
    licence: str
    languages: int
    download_bytes: int
    note: str


_TABLE = (
    TranslatorPreset(
        name="m2m100",
        hub_id="facebook/m2m100_418M",
        # The main branch has pickles alone; this is the hub's own conversion, with the tokenizer's corrected file.
        revision="791dc1c6d300846c9a747d4bd11fcc7f369b750e",
        licence="MIT",
        languages=100,
        download_bytes=1_940_000_000,
        note="any of 100 languages into any other",
    ),
)

TRANSLATORS: Mapping[str, TranslatorPreset] = MappingProxyType({preset.name: preset for preset in _TABLE})
"""Every preset by its name, in the order to show them."""
