"""The captioners that we know by name, as one table of facts; nothing here is loaded or fetched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

FLORENCE = "florence2"
"""What `config.json` of a Florence-2 says for `model_type`."""


@dataclass(frozen=True, slots=True)
class CaptionerPreset:
    """What a user chooses by.

    Attributes:
        name: how it is called on the command line.
        hub_id: `owner/name` on the hub; empty for one that comes with the installation.
        revision: the commit that we pin; docs/decisions/0008-grounded-captioner.md and 0013-florence2.md say how we
            know.
        package: top-level package that holds a built-in one; else empty.
        folder: its folder inside that package.
        licence: SPDX identifier of the weights.
        languages: ISO 639-1 codes in which it writes.
        image_px: side of the square input in pixels.
        download_bytes: size of the safetensors weights; 0 when built in.
        note: whom it suits.
    """

    name: str
    hub_id: str
    revision: str
    package: str
    folder: str
    licence: str
    languages: tuple[str, ...]
    image_px: int
    download_bytes: int
    note: str


_TABLE = (
    CaptionerPreset(
        name="kosmos2",
        hub_id="microsoft/kosmos-2-patch14-224",
        revision="e91cfbcb4ce051b6a55bfb5f96165a3bbf5eb82c",
        package="",
        folder="",
        licence="MIT",
        languages=("en",),
        image_px=224,
        download_bytes=6_658_052_808,
        note="photographs; 24 s per picture and core at float32, so for a GPU or for patience",
    ),
    CaptionerPreset(
        name="florence2-base",
        hub_id="florence-community/Florence-2-base",
        revision="00921df66db728a9ceb750f5eca43e5c203a2051",
        package="",
        folder="",
        licence="MIT",
        languages=("en",),
        image_px=768,
        download_bytes=463_178_864,
        note="photographs on a CPU: a seventh of kosmos2's parameters; answers no questions",
    ),
    CaptionerPreset(
        name="florence2-large",
        hub_id="florence-community/Florence-2-large",
        revision="4271c66b88cdbc05735372ec13b2360108de5317",
        package="",
        folder="",
        licence="MIT",
        languages=("en",),
        image_px=768,
        download_bytes=1_553_541_016,
        note="as florence2-base, with three times its parameters",
    ),
    CaptionerPreset(
        name="storybook-captioner",
        hub_id="",
        revision="",
        package="storybook",
        folder="models/captioner",
        licence="Apache-2.0",
        languages=("en", "de", "fr", "es", "zh", "uk"),
        image_px=256,
        download_bytes=0,
        note="knows the drawings of the storybook and nothing else",
    ),
)

CAPTIONERS: Mapping[str, CaptionerPreset] = MappingProxyType({preset.name: preset for preset in _TABLE})
"""Every preset by its name, in the order to show them."""

DEFAULT_CAPTIONER = "kosmos2"
"""When neither flag nor setting names one: the one that knows photographs."""
