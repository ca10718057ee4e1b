"""From what a user calls a model to an encoder in memory: preset, folder or hub name; never the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision.encoders import hub
from vision.encoders.backends import Backend, backend_for
from vision.encoders.builtin import BUILT_IN, built_in_folder
from vision.encoders.folders import folder_named
from vision.encoders.presets import PRESETS
from vision.errors import ModelError
from vision.model_files import check_whole
from vision.model_kinds import ENCODER
from vision.model_names import no_such_model

if TYPE_CHECKING:
    from vision.encoders.base import Encoder


def load_encoder(
    model: str,
    *,
    threads: int | None = None,
    lanes: int = 1,
    backend: str | None = None,
    precision: str | None = None,
) -> Encoder:
    """Load an encoder from this machine.

    Args:
        model: a preset's name, a folder, or `owner/name` of a hub repository that is already in the local cache.
        threads: CPU cores for the model; None for every core that this process may use.
        lanes: batches that run side by side, each on its share of the cores: as many as cores for a bulk job, which has
            always more to do; 1 where somebody waits for a single answer.
        backend: `transformers`, `onnx`, or `openvino`; with a precision, such as `transformers:int8`, or for `onnx`
            the suffix of graphs such as `vision_model_quantized.onnx`, as the facts of an encoder name it. None reads
            it off the files, preferring `transformers`.
        precision: `float32`, `bfloat16`, `float16` or `int8`, as far as the backend has it; None for what the
            backend's name says, else float32.

    Returns:
        The encoder, ready, its tokenizer tested.

    Raises:
        ModelMissingError: it is not here; the remedy says how to bring it.
        ModelError: it is here and cannot be used, or not in this way.
    """
    if threads is not None and threads < 1:
        raise ModelError(f"threads must be at least 1, got {threads}")
    if model == "colour" or backend == "colour":
        return _colour(model, backend, precision)
    place = find_model(model)
    check_whole(place.folder)
    if precision == "bfloat16":
        from vision.bfloat16 import remark_on  # noqa: PLC0415 (torch takes seconds)

        remark_on(precision)
    return _open(place, backend_for(place.folder, backend, precision), threads, lanes)


def _colour(model: str, backend: str | None, precision: str | None) -> Encoder:
    if model != "colour" or backend not in (None, "colour") or precision not in (None, "float32"):
        raise ModelError(
            "colour is built in: it has no other backend and no other precision",
            remedy="Leave --backend and --precision (DEIXIS_BACKEND, DEIXIS_PRECISION) away, or choose another model.",
        )
    from vision.encoders.colour import ColourEncoder  # noqa: PLC0415  # with numpy and Pillow, which naming needs not

    return ColourEncoder()


def _open(place: hub.ModelPlace, chosen: Backend, threads: int | None, lanes: int) -> Encoder:
    folder, name, revision = place.folder, place.name, place.revision
    if chosen.kind == "transformers":
        from vision.encoders.transformers import TransformersEncoder  # noqa: PLC0415 (torch takes seconds)

        return TransformersEncoder(
            folder, name=name, revision=revision, threads=threads, lanes=lanes, precision=chosen.precision
        )
    if chosen.kind == "onnx":
        from vision.encoders.onnx import OnnxEncoder  # noqa: PLC0415 (so does onnxruntime)

        variant = chosen.variant or None
        return OnnxEncoder(folder, name=name, revision=revision, variant=variant, threads=threads, lanes=lanes)
    from vision.encoders.openvino import OpenvinoEncoder  # noqa: PLC0415 (and openvino is optional)

    return OpenvinoEncoder(
        folder, name=name, revision=revision, threads=threads, lanes=lanes, precision=chosen.precision
    )


def is_model_at(model: str, location: str) -> bool:
    """Whether a name leads to the place that an encoder's facts remember.

    Args:
        model: as for `load_encoder`.
        location: `EncoderFacts.location`.

    Raises:
        ModelMissingError: the name leads nowhere.
    """
    if model == location or "colour" in (model, location):
        return model == location
    return str(find_model(model).folder) == location


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
    folder, kind = folder_named(model)
    if kind == "folder":
        return hub.place_of_folder(folder.resolve())
    if hub.looks_like_hub_id(model) and kind == "nothing":
        return hub.find(model, name=model, pinned=None)
    raise no_such_model(model, ENCODER, is_file=kind == "file")
