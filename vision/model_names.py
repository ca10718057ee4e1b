"""Which kind of model a preset's name means, and what to say where another kind is wanted."""

from __future__ import annotations

from vision.encoders.builtin import BUILT_IN
from vision.encoders.presets import PRESETS
from vision.errors import ModelMissingError
from vision.grounding.presets import CAPTIONERS
from vision.model_kinds import CAPTIONER, ENCODER, READER, TRANSLATOR, ModelKind
from vision.readers.presets import READERS
from vision.translation.presets import TRANSLATORS

_NAMES = {
    ENCODER: (*BUILT_IN, *PRESETS, "colour"),
    CAPTIONER: tuple(CAPTIONERS),
    TRANSLATOR: tuple(TRANSLATORS),
    READER: tuple(READERS),
}


def kind_of_preset(name: str) -> ModelKind | None:
    """The kind of a preset or built-in model; None for any other text."""
    return next((kind for kind, names in _NAMES.items() if name in names), None)


def no_such_model(model: str, wanted: ModelKind, *, is_file: bool) -> ModelMissingError:
    """The error of a text that leads to no model of the wanted kind."""
    other = kind_of_preset(model)
    if other is not None and other != wanted:
        return ModelMissingError(
            f"{model} is of the {other.name}s, and what is wanted here is of the {wanted.name}s",
            remedy=f"Give it with {other.flag}; with {wanted.flag} give a folder, or one of: "
            f"{', '.join(_NAMES[wanted])}.",
        )
    return ModelMissingError(
        f"{model}: no such model folder" + (" (it is a file)" if is_file else ""),
        remedy=f"Give a folder, or one of: {', '.join(_NAMES[wanted])}.",
    )
