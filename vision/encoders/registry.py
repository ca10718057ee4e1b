"""From what a user calls a model to an encoder in memory: preset, folder or hub name; never the network."""

from __future__ import annotations

from pathlib import Path

from vision.encoders import hub
from vision.encoders.base import Encoder
from vision.encoders.builtin import BUILT_IN, built_in_folder
from vision.encoders.colour import ColourEncoder
from vision.encoders.presets import PRESETS
from vision.errors import ModelError, ModelMissingError


def load_encoder(model: str, *, threads: int | None = None, backend: str | None = None) -> Encoder:
    """Load an encoder from this machine.

    Args:
        model: a preset's name, a folder, or `owner/name` of a hub repository that is already in the local cache.
        threads: CPU cores for the model; None for every core that this process may use.
        backend: `transformers`, `onnx`, or `onnx:VARIANT` for graphs such as `vision_model_quantized.onnx`;
            None reads it off the files, preferring `transformers` where both are there.

    Returns:
        The encoder, ready, its tokenizer tested.

    Raises:
        ModelMissingError: it is not here; the remedy says how to bring it.
        ModelError: it is here and cannot be used.
    """
    if threads is not None and threads < 1:
        raise ModelError(f"threads must be at least 1, got {threads}")
    if model == "colour" or backend == "colour":
        return ColourEncoder()
    place = find_model(model)
    chosen = backend or _backend_of(place.folder)
    if chosen == "transformers":
        from vision.encoders.transformers import TransformersEncoder  # noqa: PLC0415 (torch takes seconds)

        return TransformersEncoder(place.folder, name=place.name, revision=place.revision, threads=threads)
    if chosen == "onnx" or chosen.startswith("onnx:"):
        from vision.encoders.onnx import OnnxEncoder  # noqa: PLC0415 (so does onnxruntime)

        variant = chosen.partition(":")[2] or None
        return OnnxEncoder(place.folder, name=place.name, revision=place.revision, variant=variant, threads=threads)
    raise ModelError(f"unknown backend {chosen!r}", remedy="Choose transformers, onnx or onnx:VARIANT.")


def find_model(model: str) -> hub.ModelPlace:
    """Find where a model lies without loading it.

    Args:
        model: as for `load_encoder`; `colour` has no place.

    Raises:
        ModelMissingError: no such folder, or the preset or hub name is not in the local cache.
        ModelError: the cache holds another revision than the one pinned.
    """
    if model == "colour":
        raise ModelError("colour is built in and has no folder")
    if model in BUILT_IN:
        return hub.ModelPlace(built_in_folder(model), model, None)
    preset = PRESETS.get(model)
    if preset is not None:
        return hub.find(preset.hub_id, name=preset.name, pinned=preset.revision)
    folder = Path(model).expanduser()
    if folder.is_dir():
        return hub.place_of_folder(folder.resolve())
    if hub.looks_like_hub_id(model) and not folder.exists():
        return hub.find(model, name=model, pinned=None)
    raise ModelMissingError(
        f"{model}: no such model folder" + (" (it is a file)" if folder.exists() else ""),
        remedy=f"Give a folder, or one of: {', '.join([*BUILT_IN, *PRESETS])}, colour.",
    )


def _backend_of(folder: Path) -> str:
    if any(folder.glob("*.safetensors")):
        return "transformers"
    if (folder / "onnx").is_dir():
        return "onnx"
    return "transformers"  # it names what is missing, for instance that there are pickles only
