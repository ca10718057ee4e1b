"""The transformers backend: CLIP, SigLIP and fixed-resolution SigLIP2 in PyTorch, from safetensors on this machine."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, CLIPModel, SiglipModel

from vision.batching import Batches
from vision.cuda_memory import memory_of
from vision.encoders.arrays import check_images, readable_texts, to_unit_length
from vision.encoders.backends import Backend
from vision.encoders.base import Calibration, EncoderFacts
from vision.encoders.batched import BatchedEncoder
from vision.encoders.folders import (
    PREPROCESSING_FILES,
    TOKENIZER_FILES,
    content_revision,
    read_json,
    read_preprocessing,
)
from vision.encoders.patches import embed_patches
from vision.encoders.pretrained import check_files, load_pretrained
from vision.encoders.tokenizing import UNMASKED_FAMILIES, TokenArrays, check_tokens, describe_recipe
from vision.errors import ModelError
from vision.int8 import quantise_linears
from vision.lanes import cores_per_lane
from vision.packed_int8 import pack_linears
from vision.precision import check_precision
from vision.types import Embeddings, RgbImage

# Fixed-resolution SigLIP2 checkpoints declare `siglip` and load SiglipModel; only their tokenizer is new.
_CLASSES: Mapping[str, Any] = {"clip": CLIPModel, "siglip": SiglipModel}
# Enough to keep the device busy; a larger batch only costs memory.
_AT_ONCE = {"cpu": 8, "cuda": 256}
_TEXTS_AT_ONCE = 256
# 8-bit layers take and give float32.
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16, "int8": torch.float32}
# Copies of one layer's activations alive at once: residual, norm, q, k, v, attention, and an MLP four times as wide.
_LIVE_COPIES = 16


class TransformersEncoder(BatchedEncoder):
    """A dual encoder of the transformers library. Safe to call from several threads.

    Images follow the folder's `preprocessor_config.json`. Text goes through the folder's own tokenizer, padded on the
    right and cut to the full context: with an attention mask for CLIP; lower-cased and without a mask for SigLIP and
    SigLIP2, as they were trained. Runs on the first CUDA device where there is one, else on the CPU.

    Args:
        folder: the model folder or hub snapshot.
        name: what people call it.
        revision: its hub commit; None for a local folder, whose content is hashed.
        threads: CPU cores for the whole process's PyTorch; None for every core that this process may use.
        lanes: batches that run side by side on a CPU, each on its share of the cores.
        precision: of the towers: `float32`, `bfloat16`, `float16`, or `int8` for their layers' weights and activations
            (embedding tables, norms and projections then stay in float32).

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: the weights are pickles, damaged or incomplete, the architecture is another, the tokenizer fails
            its self-test, or the precision is unknown.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        revision: str | None = None,
        threads: int | None = None,
        lanes: int = 1,
        precision: str = "float32",
    ) -> None:
        check_precision(precision, of="transformers")
        config = read_json(folder, "config.json")
        family = str(config.get("model_type"))
        _check_family(folder, family)
        check_files(folder)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        lanes = lanes if self._device == "cpu" else 1
        torch.set_num_threads(cores_per_lane(threads, lanes))
        self._tokens = _Tokens(folder, config, family)
        preprocessing = read_preprocessing(folder)
        self._model = load_pretrained(_CLASSES[family], folder, dtype=_DTYPES[precision])
        if precision == "int8":
            # The layers alone: projections and pooling heads cost next to nothing and shape every number.
            narrow = quantise_linears if self._device == "cuda" else pack_linears
            narrow(self._model.vision_model.encoder)
            narrow(self._model.text_model.encoder)
        self._model.to(self._device)
        _check_size(self._model.config, preprocessing.output_hw)
        weights = sorted(path.name for path in folder.glob("*.safetensors*"))
        files = ["config.json", *weights, *TOKENIZER_FILES, *PREPROCESSING_FILES]
        self._facts = EncoderFacts(
            name=name,
            backend=str(Backend("transformers", "" if precision == "float32" else precision)),
            revision=revision or content_revision(folder, files),
            dim=_dim(self._model.config, family),
            context_length=self._tokens.context_length,
            preprocessing=preprocessing,
            text_recipe=self._tokens.recipe,
            location=str(folder),
        )
        memory, eyes, reader = memory_of(self._device), self._model.config.vision_config, self._model.config.text_config
        self._image_batches = Batches(_input_bytes(eyes), ceiling=_AT_ONCE[self._device], memory=memory, lanes=lanes)
        self._text_batches = Batches(
            _input_bytes(reader), ceiling=_TEXTS_AT_ONCE, memory=memory, what="texts", lanes=lanes
        )

    @property
    def facts(self) -> EncoderFacts:
        """What this encoder is."""
        return self._facts

    @property
    def model(self) -> Any:
        """The library's `CLIPModel` or `SiglipModel`, in evaluation mode."""
        return self._model

    @property
    def calibration(self) -> Calibration:
        """The scale and bias that were learnt."""
        bias = getattr(self._model, "logit_bias", None)
        return Calibration(math.exp(self._model.logit_scale.item()), None if bias is None else bias.item())

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """Embed texts in order; returns `(n, dim)` float32, L2-normalised. Longer texts are cut at the context length.

        Raises:
            ModelError: an embedding is not finite; the message names its text's position.
        """

        def embed(part: slice) -> Embeddings:
            inputs = {name: torch.from_numpy(ids) for name, ids in self._tokens.inputs(texts[part]).items()}
            return self._run(self._model.get_text_features, inputs, first=part.start, kind="text")

        return self._text_batches.run(len(texts), embed, dim=self._facts.dim)

    def can_read(self, word: str) -> bool:
        """Whether the word has tokens of its own."""
        return self._tokens.can_read(word)

    @property
    def locates(self) -> bool:
        """True: patches come from the weights themselves."""
        return True

    def encode_patches(self, images: Sequence[RgbImage]) -> NDArray[np.float32]:
        """Embed every patch of images of any size; see `LocatingEncoder`.

        Returns:
            `(n, rows, columns, dim)` float32, each vector L2-normalised; what is embedded, `patches` says.

        Raises:
            ModelError: an image is not HWC uint8 RGB, or a patch's embedding is not finite.
        """
        check_images(images)
        eyes = self._model.config.vision_config
        side, dim = int(eyes.image_size) // int(eyes.patch_size), self._facts.dim
        patches = np.empty((len(images), side, side, dim), dtype=np.float32)

        def embed(part: slice) -> None:
            prepared = np.stack([self._facts.preprocessing.prepare(image) for image in images[part]])
            pixels = torch.from_numpy(self._facts.preprocessing.normalise(prepared)).to(self._device)
            with torch.inference_mode():
                raw = embed_patches(self._model, pixels).float().cpu().numpy().reshape(-1, dim)
            unit = to_unit_length(raw, first=part.start * side * side, kind="patch")
            patches[part] = unit.reshape(-1, side, side, dim)

        self._image_batches.each(len(images), embed)
        return patches

    def _embed_pixels(self, pixels: NDArray[np.uint8], first: int) -> Embeddings:
        inputs = {"pixel_values": torch.from_numpy(self._facts.preprocessing.normalise(pixels))}
        return self._run(self._model.get_image_features, inputs, first=first, kind="image")

    def _run(self, tower: Callable[..., Any], inputs: dict[str, torch.Tensor], *, first: int, kind: str) -> Embeddings:
        with torch.inference_mode():
            output = tower(**{name: tensor.to(self._device) for name, tensor in inputs.items()})
        # Since transformers 5 the towers answer with an output object; the projected embedding is its pooler_output.
        return to_unit_length(output.pooler_output.float().cpu().numpy(), first=first, kind=kind)


class _Tokens:
    """The folder's own tokenizer, called the way its family was trained."""

    def __init__(self, folder: Path, config: Mapping[str, Any], family: str) -> None:
        self._unmasked = family in UNMASKED_FAMILIES
        self._lock = threading.Lock()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except (
            Exception
        ) as error:  # its readers raise whatever their formats raise, down to the Rust library's Exception
            raise ModelError(
                f"{folder}: the tokenizer cannot be loaded: {error}", remedy="Fetch its files again."
            ) from error
        default = 64 if self._unmasked else 77
        text_config = config.get("text_config") or {}
        self.context_length = int(text_config.get("max_position_embeddings", default))
        self.recipe = describe_recipe(
            lower=self._unmasked, pad="max_length", length=self.context_length, side="right", masked=not self._unmasked
        )
        check_tokens(
            self.encode,
            where=str(folder),
            context_length=self.context_length,
            ignores_case=self._unmasked,
            full_length=True,
        )

    def encode(self, texts: Sequence[str]) -> TokenArrays:
        """Return ids and attention mask, both `(n, context_length)` int64."""
        # The Rust tokenizer keeps padding and truncation as state and refuses a change while another thread reads.
        with self._lock:
            tokens = self._tokenizer(
                [text.lower() if self._unmasked else text for text in readable_texts(texts)],
                padding="max_length",
                max_length=self.context_length,
                truncation=True,
                padding_side="right",
                return_attention_mask=True,
                return_tensors="np",
            )
        return tokens["input_ids"].astype(np.int64), tokens["attention_mask"].astype(np.int64)

    def can_read(self, word: str) -> bool:
        """Whether none of the word's tokens is the one for everything unknown."""
        plain = readable_texts([word])[0]
        with self._lock:
            tokens = self._tokenizer(plain.lower() if self._unmasked else plain, add_special_tokens=False)
            used, unknown = list(tokens["input_ids"]), self._tokenizer.unk_token_id
        return bool(used) and unknown not in used

    def inputs(self, texts: Sequence[str]) -> dict[str, NDArray[np.int64]]:
        """Return the text tower's keyword arguments: a mask only for families that were trained with one."""
        ids, mask = self.encode(texts)
        return {"input_ids": ids} if self._unmasked else {"input_ids": ids, "attention_mask": mask}


def _check_family(folder: Path, family: str) -> None:
    if family == "siglip2":
        raise ModelError(
            f"{folder}: this SigLIP2 reads images of varying resolution (NaFlex), which has no fixed preprocessing",
            remedy="Use a fixed-resolution one, such as the preset siglip2-base.",
        )
    if family not in _CLASSES:
        raise ModelError(
            f"{folder}: unknown architecture {family!r} in config.json",
            remedy=f"The transformers backend loads {', '.join(_CLASSES)}; other dual encoders load as ONNX graphs.",
        )


def _check_size(config: Any, output_hw: tuple[int, int]) -> None:
    side = int(config.vision_config.image_size)
    if output_hw != (side, side):
        raise ModelError(
            f"the vision tower reads {side}×{side} px, preprocessor_config.json makes {output_hw[1]}×{output_hw[0]}",
            remedy="config.json and preprocessor_config.json belong to different models; fetch both again.",
        )


def _dim(config: Any, family: str) -> int:
    return int(config.projection_dim if family == "clip" else config.vision_config.hidden_size)


def _input_bytes(tower: Any) -> int:
    """What one input takes at its largest, estimated."""
    if hasattr(tower, "patch_size"):
        tokens = (int(tower.image_size) // int(tower.patch_size)) ** 2 + 1
    else:
        tokens = int(tower.max_position_embeddings)
    scores = int(tower.num_attention_heads) * tokens * tokens
    return 4 * (_LIVE_COPIES * tokens * int(tower.hidden_size) + scores)
