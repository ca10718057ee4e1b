"""The onnx backend: dual encoders in the hub's ONNX layout, run by onnxruntime on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.batching import Batches, batch_size_for, usable_cores
from vision.encoders.arrays import to_unit_length
from vision.encoders.base import EncoderFacts
from vision.encoders.batched import BatchedEncoder
from vision.encoders.folders import (
    PREPROCESSING_FILES,
    TOKENIZER_FILES,
    content_revision,
    read_json,
    read_preprocessing,
)
from vision.encoders.tokenizing import TRANSFORMERS_FAMILIES, GraphTokens
from vision.errors import ModelError, ModelMissingError
from vision.types import Embeddings

# Above the activations of one image in the largest preset's shape (ViT-SO400M at 256 px: 23 MB, computed).
_IMAGE_BYTES = 32 << 20
_TEXT_BYTES = 8 << 20
_IMAGES_AT_ONCE = 16
_TEXTS_AT_ONCE = 64
_WARNINGS_AND_UP = 2


class OnnxEncoder(BatchedEncoder):
    """`vision_model.onnx` (`pixel_values` → `image_embeds`) and `text_model.onnx` (`input_ids` → `text_embeds`).

    Text is tokenised by `tokenizer.json`; images follow `preprocessor_config.json`. Safe to call from several threads.

    Args:
        folder: the model folder.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        variant: the suffix of the graphs' names (`quantized`, `fp16`, …); None for the full-precision graphs.
        threads: cores per call; None for every core that this process may use.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: a file is damaged, or a graph has other inputs or outputs than the layout promises.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None = None,
        variant: str | None = None,
        threads: int | None = None,
    ) -> None:
        suffix = f"_{variant}" if variant else ""
        graphs = [f"onnx/vision_model{suffix}.onnx", f"onnx/text_model{suffix}.onnx"]
        preprocessing = read_preprocessing(folder, long_edge=_long_edge(folder))
        self._vision = _open_graph(folder, graphs[0], threads or usable_cores())
        self._text = _open_graph(folder, graphs[1], threads or usable_cores())
        _require(self._vision, graphs[0], inputs={"pixel_values"}, optional=set(), output="image_embeds")
        _require(self._text, graphs[1], inputs={"input_ids"}, optional={"attention_mask"}, output="text_embeds")
        self._masked = any(node.name == "attention_mask" for node in self._text.get_inputs())
        _check_size(self._vision, graphs[0], preprocessing.output_hw)
        ids_axis = next(node for node in self._text.get_inputs() if node.name == "input_ids").shape[1]
        self._tokens = GraphTokens(folder, fixed_length=_fixed(ids_axis), masked=self._masked)
        files = [*graphs, *(f"{graph}_data" for graph in graphs), *TOKENIZER_FILES, *PREPROCESSING_FILES, "config.json"]
        self._facts = EncoderFacts(
            name=name,
            backend=f"onnx:{variant}" if variant else "onnx",
            revision=revision or content_revision(folder, files),
            dim=_output_dim(self._vision, self._text, folder),
            context_length=self._tokens.context_length,
            preprocessing=preprocessing,
            text_recipe=self._tokens.recipe,
            location=str(folder),
        )
        self._image_batches = Batches(batch_size_for(_IMAGE_BYTES, ceiling=_IMAGES_AT_ONCE))
        self._text_batches = Batches(batch_size_for(_TEXT_BYTES, ceiling=_TEXTS_AT_ONCE))

    @property
    def facts(self) -> EncoderFacts:
        """What this encoder is."""
        return self._facts

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts in order; returns `(n, dim)` float32, L2-normalised. Longer texts are cut at the context length.

        Raises:
            ModelError: an embedding is not finite; the message names its text's position.
        """

        def embed(part: slice) -> Embeddings:
            ids, mask = self._tokens.encode(texts[part])
            inputs = {"input_ids": ids, "attention_mask": mask} if self._masked else {"input_ids": ids}
            return to_unit_length(self._text.run(["text_embeds"], inputs)[0], first=part.start, kind="text")

        return self._text_batches.run(len(texts), embed, dim=self._facts.dim)

    def _embed_pixels(self, pixels: NDArray[np.uint8], first: int) -> Embeddings:
        inputs = {"pixel_values": self._facts.preprocessing.normalise(pixels)}
        return to_unit_length(self._vision.run(["image_embeds"], inputs)[0], first=first, kind="image")


def _long_edge(folder: Path) -> Literal["floor", "nearest"]:
    """How the long side rounds: as in transformers for its own families, to the nearest pixel for graphs of no family.

    Each is what the model's reference figures were computed with; see `Preprocessing.long_edge`.
    """
    config = read_json(folder, "config.json") if (folder / "config.json").is_file() else {}
    return "floor" if config.get("model_type") in TRANSFORMERS_FAMILIES else "nearest"


def _open_graph(folder: Path, name: str, threads: int) -> Any:
    path = folder / name
    if not path.is_file():
        there = sorted(f"onnx/{found.name}" for found in (folder / "onnx").glob("*.onnx"))
        raise ModelMissingError(
            f"{folder}: {name} is missing",
            remedy=f"There: {', '.join(there)}. Ask for a variant as backend `onnx:VARIANT`."
            if there
            else "Copy the model's onnx folder beside its config.json.",
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _WARNINGS_AND_UP
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        raise ModelError(f"{path}: onnxruntime cannot load it: {error}", remedy="Fetch this file again.") from error


def _require(graph: Any, name: str, *, inputs: set[str], optional: set[str], output: str) -> None:
    found = {node.name for node in graph.get_inputs()}
    outputs = [node.name for node in graph.get_outputs()]
    if not inputs <= found <= inputs | optional or output not in outputs:
        raise ModelError(
            f"{name}: expected {sorted(inputs)} → {output}, got {sorted(found)} → {outputs}",
            remedy="The graph must be a dual encoder's tower with its projection, as the hub lays it out.",
        )


def _check_size(graph: Any, name: str, output_hw: tuple[int, int]) -> None:
    expected = tuple(_fixed(axis) for axis in graph.get_inputs()[0].shape[2:])
    if any(side is not None and side != ours for side, ours in zip(expected, output_hw, strict=True)):
        raise ModelError(
            f"{name} reads {expected} pixels, but preprocessor_config.json makes {output_hw}",
            remedy="They belong to different models; fetch both again.",
        )


def _fixed(axis: int | str | None) -> int | None:
    return axis if isinstance(axis, int) and axis > 0 else None


def _output_dim(vision: Any, text: Any, folder: Path) -> int:
    widths = {
        _fixed(node.shape[-1]) for graph in (vision, text) for node in graph.get_outputs() if "embeds" in node.name
    }
    known = widths - {None}
    if not known:
        config = read_json(folder, "config.json")
        known = {config.get("projection_dim") or config.get("text_config", {}).get("hidden_size")} - {None}
    if len(known) != 1:
        raise ModelError(f"{folder}: images and texts need one embedding length, found {sorted(map(str, known))}")
    return int(known.pop())  # type: ignore[arg-type]  # None was taken out above
