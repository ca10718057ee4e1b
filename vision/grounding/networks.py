"""Kosmos-2's weights as two calls, see and read, whatever runtime computes them; here PyTorch, in every precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional
from transformers import Kosmos2ForConditionalGeneration

from vision.bfloat16 import remark_on
from vision.encoders.pretrained import check_files, load_pretrained
from vision.errors import ModelError
from vision.grounding.key_values import KeyValues, cache_argument
from vision.packed_int8 import pack_linears
from vision.precision import check_precision

_DTYPES: Mapping[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int8": torch.float32,
}
# Few processors multiply in float16, and the others take a detour that is slower than float32; the 8-bit kernel is the
# processor's own.
_FOREIGN = {"cpu": "float16", "cuda": "int8"}
_INSTEAD = {"cpu": "Choose bfloat16 or int8.", "cuda": "Choose bfloat16 or float16."}


class Network(Protocol):
    """The numbers of one model folder."""

    @property
    def backend(self) -> str:
        """What computes: `transformers` or `onnx`."""

    @property
    def config(self) -> Any:
        """The `Kosmos2Config`."""

    @property
    def device(self) -> torch.device:
        """Where tensors have to be."""

    @property
    def dtype(self) -> torch.dtype:
        """Of latents, keys and values."""

    @property
    def weight_files(self) -> Sequence[str]:
        """Names of the files that hold the weights, relative to the folder."""

    def see(self, pixels: Tensor) -> Tensor:
        """Look at pictures.

        Args:
            pixels: `(n, 3, side, side)` float32, normalised.

        Returns:
            `(n, image_tokens, width)`: what is put into the text.
        """

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
        """Read tokens behind what the cache holds, and append them to it.

        Args:
            ids: `(n, tokens)` int64.
            mask: `(n, tokens so far and now)` int64, 0 where a row is padded.
            positions: `(n, tokens)` int64, rows of the table of positions.
            cache: `n` rows.
            keep: tokens, counted from the last, whose logits are wanted; 0 for all.
            latents: `(n, image_tokens, width)` to put into the text; None where it has no picture.
            slots: `(n, tokens)` bool, where to put them.

        Returns:
            `(n, keep, vocabulary)` float32.
        """


def load_for_device(model_class: Any, folder: Path, precision: str) -> Any:
    """Load a captioner's weights onto the first CUDA device where there is one, else for the CPU.

    Args:
        model_class: of the transformers library.
        folder: the model folder.
        precision: see `vision.precision`; float16 on CUDA only, int8 on the CPU only.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the weights are pickles, damaged or incomplete, or this device does not compute in that precision.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    check_precision(precision, of="this captioner")
    if precision == _FOREIGN[device]:
        raise ModelError(f"this captioner does not compute in {precision!r} on {device}", remedy=_INSTEAD[device])
    check_files(folder)
    remark_on(precision)
    model = load_pretrained(model_class, folder, dtype=_DTYPES[precision])
    if precision == "int8":
        pack_linears(model)
    return model.to(device)


def weight_files(folder: Path) -> list[str]:
    """Names of the files that hold a folder's weights, in order."""
    return sorted(path.name for path in folder.glob("*.safetensors*"))


class TorchNetwork:
    """A `Kosmos2ForConditionalGeneration` with the library's fused attention. Fulfils `Network`.

    Args:
        folder: the model folder.
        precision: see `vision.precision`; float16 on CUDA only, int8 on the CPU only.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the weights are pickles, damaged or incomplete, or this device does not compute in that precision.
    """

    backend = "transformers"

    def __init__(self, folder: Path, *, precision: str) -> None:
        self.model: Any = load_for_device(Kosmos2ForConditionalGeneration, folder, precision)
        self.weight_files = weight_files(folder)
        self._tower, self._text = self.model.vision_model, self.model.text_model
        self._cache_argument = cache_argument(self._text)

    @property
    def config(self) -> Any:
        """The `Kosmos2Config`."""
        return self.model.config

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.model.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        """What everything but 8-bit weights is."""
        dtype: torch.dtype = self.model.dtype
        return dtype

    def see(self, pixels: Tensor) -> Tensor:
        """Look at pictures; see `Network`."""
        seen = self._tower(pixel_values=pixels.to(self.device, self.dtype))
        features = functional.normalize(self._tower.model.post_layernorm(seen[0]), dim=-1)
        latents: Tensor = self.model.image_to_text_projection(features)[0]
        return latents

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
        output = self._text(
            input_ids=ids,
            attention_mask=mask,
            image_embeds=latents,
            image_embeds_position_mask=slots,
            position_ids=positions.contiguous(),
            use_cache=True,
            logits_to_keep=keep,
            **{self._cache_argument: cache},
        )
        logits: Tensor = output.logits.float()
        return logits
