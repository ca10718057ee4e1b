"""What backends of the hub's ONNX layout share: two graphs, the folder's tokenizer and its preprocessing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vision.batching import Batches
from vision.encoders.arrays import to_unit_length
from vision.encoders.backends import Backend
from vision.encoders.base import EncoderFacts
from vision.encoders.batched import BatchedEncoder
from vision.encoders.folders import (
    PREPROCESSING_FILES,
    TOKENIZER_FILES,
    content_revision,
    read_json,
    read_preprocessing,
)
from vision.encoders.graph_patches import PatchGraph
from vision.encoders.tokenizing import TRANSFORMERS_FAMILIES, GraphTokens
from vision.errors import ModelError, ModelMissingError
from vision.types import Embeddings, RgbImage

Axes: TypeAlias = Mapping[str, Sequence[int | None]]
"""Name of an input or output → its axes; None for one of any length."""

# Above the activations of one image in the largest preset's shape (ViT-SO400M at 256 px: 23 MB, computed).
_IMAGE_BYTES = 32 << 20
_TEXT_BYTES = 8 << 20
_IMAGES_AT_ONCE = 8
_TEXTS_AT_ONCE = 64


class Graph(Protocol):
    """One tower in memory, safe to run from several threads."""

    @property
    def inputs(self) -> Axes:
        """What it reads."""

    @property
    def outputs(self) -> Axes:
        """What it gives."""

    def run(self, output: str, inputs: Mapping[str, NDArray[np.generic]]) -> NDArray[np.floating]:
        """Compute one output, `(n, dim)`."""


class GraphEncoder(BatchedEncoder):
    """`vision_model.onnx` (`pixel_values` → `image_embeds`) and `text_model.onnx` (`input_ids` → `text_embeds`).

    Text is tokenised by `tokenizer.json`; images follow `preprocessor_config.json`. A backend says how a graph is
    opened.

    Args:
        folder: the model folder.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        backend: what computes, for the identity.
        suffix: of the graphs' names; empty for those of full precision.
        lanes: batches that run side by side.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: a file is damaged, or a graph has other inputs or outputs than the layout promises.
    """

    def __init__(
        self, folder: Path, *, name: str, revision: str | None, backend: Backend, suffix: str, lanes: int = 1
    ) -> None:
        ending = f"_{suffix}.onnx" if suffix else ".onnx"
        graphs = [f"onnx/vision_model{ending}", f"onnx/text_model{ending}"]
        preprocessing = read_preprocessing(folder, long_edge=_long_edge(folder))
        self._vision = self._open(_existing(folder, graphs[0]))
        self._text = self._open(_existing(folder, graphs[1]))
        _require(self._vision, graphs[0], inputs={"pixel_values"}, optional=set(), output="image_embeds")
        _require(self._text, graphs[1], inputs={"input_ids"}, optional={"attention_mask"}, output="text_embeds")
        self._masked = "attention_mask" in self._text.inputs
        _check_size(self._vision, graphs[0], preprocessing.output_hw)
        self._tokens = GraphTokens(folder, fixed_length=self._text.inputs["input_ids"][1], masked=self._masked)
        files = [*graphs, *(f"{graph}_data" for graph in graphs), *TOKENIZER_FILES, *PREPROCESSING_FILES, "config.json"]
        self._facts = EncoderFacts(
            name=name,
            backend=str(backend),
            revision=revision or content_revision(folder, files),
            dim=_output_dim(self._vision, self._text, folder),
            context_length=self._tokens.context_length,
            preprocessing=preprocessing,
            text_recipe=self._tokens.recipe,
            location=str(folder),
        )
        self._check_output(graphs[0], "image_embeds", {"pixel_values": self._probe_pixels()})
        self._check_output(graphs[1], "text_embeds", self._text_inputs(["a dog", "two red cars"]))
        self._image_batches = Batches(_IMAGE_BYTES, ceiling=_IMAGES_AT_ONCE, lanes=lanes)
        self._text_batches = Batches(_TEXT_BYTES, ceiling=_TEXTS_AT_ONCE, what="texts", lanes=lanes)
        self._patches = PatchGraph(folder, self._open_exact, self._image_batches)

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
            raw = self._text.run("text_embeds", self._text_inputs(texts[part]))
            return to_unit_length(raw, first=part.start, kind="text")

        return self._text_batches.run(len(texts), embed, dim=self._facts.dim)

    def can_read(self, word: str) -> bool:
        """Whether the word has tokens of its own."""
        return self._tokens.can_read(word)

    @property
    def locates(self) -> bool:
        """Whether the folder has the graph for patches."""
        return self._patches.is_there

    def encode_patches(self, images: Sequence[RgbImage]) -> NDArray[np.float32]:
        """Embed every patch of images of any size; see `LocatingEncoder`.

        Raises:
            NoHeatMapError: the folder has no `onnx/patch_model.onnx`.
            ModelError: that graph does not fit, an image is not HWC uint8 RGB, or a patch is not finite.
        """
        return self._patches.encode(images, self._facts)

    def _open_exact(self, path: Path) -> Graph:
        """Load a graph that is to compute in float32, whatever the towers compute in."""
        return self._open(path)

    @abstractmethod
    def _open(self, path: Path) -> Graph:
        """Load one graph.

        Raises:
            ModelError: it cannot be loaded.
        """

    def _check_output(self, name: str, output: str, inputs: Mapping[str, NDArray[np.generic]]) -> None:
        """Compute two inputs before anything relies on this graph on this processor."""
        graph, backend = self._vision if output == "image_embeds" else self._text, self._facts.backend
        expected = (2, self._facts.dim)
        try:
            found = graph.run(output, inputs)
        except Exception as error:  # the runtimes' exceptions share no base class below Exception
            raise cannot_compute(name, backend, str(error)) from error
        if found.shape != expected:
            raise cannot_compute(name, backend, f"an array {found.shape} came out where {expected} is right")
        if not np.isfinite(found).all():
            raise cannot_compute(name, backend, "what came out is not finite")

    def _probe_pixels(self) -> NDArray[np.float32]:
        pixels = np.full((2, *self._facts.preprocessing.output_hw, 3), 128, np.uint8)
        return self._facts.preprocessing.normalise(pixels)

    def _text_inputs(self, texts: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        ids, mask = self._tokens.encode(texts)
        return {"input_ids": ids, "attention_mask": mask} if self._masked else {"input_ids": ids}

    def _embed_pixels(self, pixels: NDArray[np.uint8], first: int) -> Embeddings:
        inputs = {"pixel_values": self._facts.preprocessing.normalise(pixels)}
        return to_unit_length(self._vision.run("image_embeds", inputs), first=first, kind="image")


def cannot_compute(name: str, backend: str, why: str) -> ModelError:
    """The error of a whole graph that does not run here; the file is not to blame, nor need it be fetched again."""
    # The runtimes tell where in their source they were, line by line, and last what was wrong.
    reason = next((line.strip() for line in reversed(why.splitlines()) if line.strip()), "no reason given")
    return ModelError(
        f"{name}: {backend} cannot compute it on this processor: {reason}",
        remedy="Choose another backend or precision: float32 in `onnx` or `transformers` runs everywhere.",
    )


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        there = sorted(f"onnx/{found.name}" for found in (folder / "onnx").glob("*.onnx"))
        raise ModelMissingError(
            f"{folder}: {name} is missing",
            remedy=f"There: {', '.join(there)}. Ask for a variant as backend `onnx:VARIANT`."
            if there
            else "Copy the model's onnx folder beside its config.json, or write one with `deixis export`.",
        )
    return path


def _long_edge(folder: Path) -> Literal["floor", "nearest"]:
    """How the long side rounds: as in transformers for its own families, to the nearest pixel for graphs of no family.

    Each is what the model's reference figures were computed with; see `Preprocessing.long_edge`.
    """
    config = read_json(folder, "config.json") if (folder / "config.json").is_file() else {}
    return "floor" if config.get("model_type") in TRANSFORMERS_FAMILIES else "nearest"


def _require(graph: Graph, name: str, *, inputs: set[str], optional: set[str], output: str) -> None:
    found, outputs = set(graph.inputs), list(graph.outputs)
    if not inputs <= found <= inputs | optional or output not in outputs:
        raise ModelError(
            f"{name}: expected {sorted(inputs)} → {output}, got {sorted(found)} → {outputs}",
            remedy="The graph must be a dual encoder's tower with its projection, as the hub lays it out.",
        )


def _check_size(graph: Graph, name: str, output_hw: tuple[int, int]) -> None:
    expected = tuple(graph.inputs["pixel_values"][2:])
    if any(side is not None and side != ours for side, ours in zip(expected, output_hw, strict=True)):
        raise ModelError(
            f"{name} reads {expected} pixels, but preprocessor_config.json makes {output_hw}",
            remedy="They belong to different models; fetch both again.",
        )


def _output_dim(vision: Graph, text: Graph, folder: Path) -> int:
    widths = {vision.outputs["image_embeds"][-1], text.outputs["text_embeds"][-1]}
    known = widths - {None}
    if not known:
        config = read_json(folder, "config.json")
        known = {config.get("projection_dim") or config.get("text_config", {}).get("hidden_size")} - {None}
    if len(known) != 1:
        raise ModelError(f"{folder}: images and texts need one embedding length, found {sorted(map(str, known))}")
    return int(known.pop())  # type: ignore[arg-type]  # None was taken out above
