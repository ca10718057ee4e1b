"""An exported Kosmos-2 in ONNX Runtime on the CPU: the same two calls, see and read, over the graphs of a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import Kosmos2Config

from vision.errors import ModelMissingError
from vision.grounding.key_values import KeyValues
from vision.onnx_sessions import open_session
from vision.precision import check_precision

EXPORTED_PRECISIONS = ("float32", "int8")
"""In which graphs are written and read. `int8` concerns products with weights; all tensors stay float32."""
GRAPH_FOLDER = "onnx"
VISION, EMBEDDING, DECODER = "vision_resampler", "embed_tokens", "decoder"
"""Names of the graphs; docs/decisions/0012-captioner-precision-and-export.md lists their inputs and outputs.

The past goes into the decoder as it lies in memory, its empty places masked, and what is new comes out alone:
so a step copies one column and not the whole past. Prefill and decode are the same graph.
"""


def graph_name(graph: str, precision: str) -> str:
    """Where a graph lies in its folder; the table of embeddings is looked up, so it has one form."""
    suffix = "_int8" if precision == "int8" and graph != EMBEDDING else ""
    return f"{GRAPH_FOLDER}/{graph}{suffix}.onnx"


def is_exported(folder: Path) -> bool:
    """Whether a folder holds graphs and no weights of the library's."""
    return (folder / GRAPH_FOLDER).is_dir() and not any(folder.glob("*.safetensors"))


class OnnxNetwork:
    """Three graphs of one precision. Fulfils `Network`; safe to call from several threads.

    Args:
        folder: what `vision.export.captioner` wrote.
        precision: one of `EXPORTED_PRECISIONS`.
        threads: cores per call.

    Raises:
        ModelMissingError: a graph is not there; the remedy names the precisions that are.
        ModelError: the precision is none that is exported, or a file is damaged.
    """

    backend = "onnx"
    device = torch.device("cpu")
    dtype = torch.float32

    def __init__(self, folder: Path, *, precision: str, threads: int) -> None:
        check_precision(precision, EXPORTED_PRECISIONS, of="an exported captioner")
        names = [graph_name(graph, precision) for graph in (VISION, EMBEDDING, DECODER)]
        self.weight_files = [file for name in names for file in (name, f"{name}_data")]
        self.config: Any = Kosmos2Config.from_pretrained(folder, local_files_only=True)
        self._vision, self._embedding, self._decoder = (_open(folder, name, threads) for name in names)
        layers = range(int(self.config.text_config.layers))
        self._new = [f"new.{layer}.{part}" for layer in layers for part in ("key", "value")]

    def see(self, pixels: Tensor) -> Tensor:
        """Look at pictures; see `Network`."""
        return torch.from_numpy(self._vision.run(["latents"], {"pixel_values": pixels.numpy()})[0])

    def read(
        self,
        ids: Tensor,
        mask: Tensor,
        positions: Tensor,
        cache: KeyValues,
        *,
        keep: int,
        latents: Tensor | None = None,
        slots: Tensor | None = None,
    ) -> Tensor:
        """Read tokens; see `Network`."""
        embedded = self._embedding.run(["inputs_embeds"], {"input_ids": ids.contiguous().numpy()})[0]
        if latents is not None and slots is not None:
            embedded[slots.numpy()] = latents.flatten(0, 1).numpy()
        tokens = ids.shape[1]
        past, among = _visible(mask.bool(), cache)
        inputs: dict[str, NDArray[np.generic]] = {
            "inputs_embeds": embedded,
            "past_attention_mask": past.numpy(),
            "attention_mask": among.numpy(),
            "position_ids": positions.contiguous().numpy(),
            "kept": np.arange(tokens - (keep or tokens), tokens),
        }
        for layer, (keys, values) in enumerate(zip(cache.keys, cache.values, strict=True)):
            inputs[f"past_key_values.{layer}.key"] = keys.numpy()
            inputs[f"past_key_values.{layer}.value"] = values.numpy()
        logits, *new = self._decoder.run(["logits", *self._new], inputs)
        for layer, (keys, values) in enumerate(zip(new[::2], new[1::2], strict=True)):
            cache.update(torch.from_numpy(keys), torch.from_numpy(values), layer)
        return torch.from_numpy(logits)


def _visible(real: Tensor, cache: KeyValues) -> tuple[Tensor, Tensor]:
    """Where tokens may look: in the cache's room, all alike, `(n, room)`; among themselves, `(n, tokens, tokens)`."""
    past = torch.zeros(len(real), cache.room, dtype=torch.bool)
    past[:, : cache.length] = real[:, : cache.length]
    now = real[:, cache.length :]
    return past, now[:, None] & torch.ones(now.shape[1], now.shape[1], dtype=torch.bool).tril()


def _open(folder: Path, name: str, threads: int) -> Any:
    path = folder / name
    if not path.is_file():
        decoders = {precision: folder / graph_name(DECODER, precision) for precision in EXPORTED_PRECISIONS}
        there = [precision for precision, decoder in decoders.items() if decoder.is_file()]
        raise ModelMissingError(
            f"{folder}: {name} is missing",
            remedy=f"This folder was exported in {', '.join(there)}." if there else "Export the captioner again.",
        )
    return open_session(path, threads, remedy="Export it again.")
