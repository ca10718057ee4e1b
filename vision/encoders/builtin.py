"""Encoders that come with the installation: where each one's folder lies, found without importing its room."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vision.errors import ModelMissingError


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """An encoder whose weights are part of the installation.

    Attributes:
        name: how it is called on the command line.
        package: the top-level package that holds the folder.
        folder: the folder inside the package.
        licence: SPDX identifier of the weights.
        dim: length of one embedding.
        image_px: side of the square input in pixels.
        context_length: tokens of text that are read.
        note: whom it suits.
    """

    name: str
    package: str
    folder: str
    licence: str
    dim: int
    image_px: int
    context_length: int
    note: str


BUILT_IN: Mapping[str, BuiltIn] = MappingProxyType(
    {
        "storybook-encoder": BuiltIn(
            name="storybook-encoder",
            package="storybook",
            folder="models/encoder",
            licence="Apache-2.0",
            dim=192,
            image_px=128,
            context_length=96,
            note="for the drawings of `deixis demo` only",
        )
    }
)
"""Every built-in encoder with weights, by its name."""


def built_in_folder(name: str) -> Path:
    """Return the folder of a built-in encoder.

    The package is located, not imported: `vision` may know no other room.

    Raises:
        KeyError: no built-in encoder has this name.
        ModelMissingError: the installation lacks the package or its weights.
    """
    entry = BUILT_IN[name]
    return installed_folder(name, entry.package, entry.folder)


def installed_folder(name: str, package: str, folder: str) -> Path:
    """Return a model's folder inside a package that is located, not imported.

    Args:
        name: what the model is called, for the message.
        package: a top-level package.
        folder: relative to it.

    Raises:
        ModelMissingError: the installation lacks the package or the weights.
    """
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        found = Path(place) / folder
        if (found / "model.safetensors").is_file():
            return found
    raise ModelMissingError(
        f"{name}: this installation has no {package}/{folder}/model.safetensors",
        remedy="Install Deixis again from a whole checkout, or choose another model with --model.",
    )
