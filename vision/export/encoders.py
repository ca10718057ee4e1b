"""Writes a dual encoder as ONNX graphs in the hub's layout, and proves that they give what PyTorch gives."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoTokenizer

from vision.encoders.base import EncoderFacts
from vision.encoders.comparing import Probed, probe, worst_cosines
from vision.encoders.folders import PREPROCESSING_FILES, TOKENIZER_FILES
from vision.encoders.graph_patches import PATCH_OUTPUT
from vision.encoders.onnx import OnnxEncoder
from vision.encoders.patches import embed_patches
from vision.encoders.probes import probe_pictures
from vision.encoders.registry import find_model
from vision.encoders.transformers import TransformersEncoder
from vision.errors import ModelError
from vision.export.graphs import quantise_graph, require_packages, write_graph
from vision.export.writing import whole_folder
from vision.precision import check_precision
from vision.types import RgbImage

EXPORTED_PRECISIONS = ("float32", "float16", "int8")
"""onnxruntime has no bfloat16 on the CPU."""

WORST_DIFFERENCE = 1e-3
"""Largest difference between an entry of our graphs' float32 embeddings and PyTorch's that is still the same model."""

_OUTPUTS = {"vision": "image_embeds", "text": "text_embeds", "patch": PATCH_OUTPUT}
_SUFFIXES = {"float32": "", "float16": "_fp16", "int8": "_int8"}


@dataclass(frozen=True, slots=True)
class Parity:
    """How one precision's graphs compare with PyTorch in float32, on the built-in pictures and texts.

    Attributes:
        precision: of the graphs.
        worst_difference: largest absolute difference between entries of L2-normalised embeddings.
        image_cosine: of the picture that suffers most.
        text_cosine: of the text that suffers most.
    """

    precision: str
    worst_difference: float
    image_cosine: float
    text_cosine: float


def export_encoder(
    model: str,
    out: Path,
    *,
    precisions: Sequence[str] = ("float32",),
    threads: int | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> list[Parity]:
    """Write `onnx/vision_model.onnx`, `onnx/text_model.onnx`, their variants, tokenizer and preprocessing.

    And `onnx/patch_model.onnx`, one in float32 for every precision, by which the graphs have heat maps. The batch is of
    any size, texts have the full context length. The folder appears when all of it is written and has passed the
    comparison; `load_encoder(str(out))` reads it, as `backend="onnx:int8"` and the like for the variants.

    Args:
        model: as for `load_encoder`; a model of the transformers backend.
        out: the folder to make; absent, empty, or an earlier export, which is replaced.
        precisions: some of `EXPORTED_PRECISIONS`; float16 graphs still read and give float32.
        threads: CPU cores; None for all.
        progress: called with what is being done.

    Returns:
        A comparison per precision, in the order asked for.

    Raises:
        ModelMissingError: the model, or a package of the extra `export`, is not here.
        ModelError: the model cannot be loaded or written, `out` is somebody else's, or the graphs differ from PyTorch.
    """
    for precision in precisions:
        check_precision(precision, EXPORTED_PRECISIONS, of="an ONNX export")
    require_packages()
    place = find_model(model)
    facts: dict[str, Any] = {"kind": "encoder", "name": place.name}
    parities = []
    with whole_folder(out, facts) as folder:
        progress("loading")
        encoder = TransformersEncoder(place.folder, name=place.name, revision=place.revision, threads=threads)
        expected = probe(encoder)
        patches = encoder.encode_patches(_patch_probe(encoder.facts))
        facts["revision"] = encoder.facts.revision
        _copy_small_files(place.folder, folder)
        _write_graphs(encoder, folder, precisions, progress)
        for precision in precisions:
            progress(f"comparing {precision} with PyTorch")
            parities.append(_compare(folder, precision, expected, threads))
        _compare_patches(folder, patches, precisions[0], threads)
        facts["parity"] = [asdict(parity) for parity in parities]
    return parities


def _copy_small_files(source: Path, folder: Path) -> None:
    for name in ("config.json", *PREPROCESSING_FILES, *TOKENIZER_FILES):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    # The tokenizer as PyTorch's side calls it: the library completes some models' files in code.
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True, trust_remote_code=False)
    fast = getattr(tokenizer, "backend_tokenizer", None)
    if fast is None:
        raise ModelError(
            f"{source}: its tokenizer has no form that ONNX backends read",
            remedy="Fetch the model's tokenizer.json, which most repositories have.",
        )
    fast.no_padding()
    fast.no_truncation()
    fast.save(str(folder / "tokenizer.json"))


def _write_graphs(
    encoder: TransformersEncoder, folder: Path, precisions: Sequence[str], progress: Callable[[str], None]
) -> None:
    (folder / "onnx").mkdir()
    module = encoder.model.cpu()
    progress("writing the patches in float32")
    _trace(module, encoder, "patch", _graph_path(folder, "patch", "float32"))
    for tower in ("vision", "text"):
        full = _graph_path(folder, tower, "float32")
        if {"float32", "int8"} & set(precisions):
            progress(f"writing the {tower} tower in float32")
            _trace(module, encoder, tower, full)
        if "int8" in precisions:
            progress(f"writing the {tower} tower in int8")
            quantise_graph(full, _graph_path(folder, tower, "int8"))
        if "float32" not in precisions:
            _remove_graph(full)
    if "float16" in precisions:
        halved = module.half()
        for tower in ("vision", "text"):
            progress(f"writing the {tower} tower in float16")
            _trace(halved, encoder, tower, _graph_path(folder, tower, "float16"))


def _graph_path(folder: Path, tower: str, precision: str) -> Path:
    return folder / "onnx" / f"{tower}_model{_SUFFIXES[precision]}.onnx"


def _remove_graph(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}_data").unlink(missing_ok=True)


class _Eyes(nn.Module):
    """Pixels to raw embeddings, under the hub's names."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return `(n, dim)` float32."""
        embeddings: Tensor = self.model.get_image_features(pixel_values=pixel_values).pooler_output
        return embeddings.float()


class _PatchEyes(nn.Module):
    """Pixels to the raw embedding of every patch."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        eyes = model.config.vision_config
        self.side = int(eyes.image_size) // int(eyes.patch_size)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return `(n, rows, columns, dim)` float32."""
        patches = embed_patches(self.model, pixel_values).float()
        return patches.reshape(-1, self.side, self.side, patches.shape[2])


class _Reader(nn.Module):
    """Tokens to raw embeddings, under the hub's names."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return `(n, dim)` float32."""
        output = self.model.get_text_features(input_ids=input_ids, attention_mask=attention_mask)
        embeddings: Tensor = output.pooler_output
        return embeddings.float()


def _trace(model: Any, encoder: TransformersEncoder, tower: str, path: Path) -> None:
    facts = encoder.facts
    if tower != "text":
        module: nn.Module = _Eyes(model) if tower == "vision" else _PatchEyes(model)
        inputs = {"pixel_values": torch.zeros(2, 3, *facts.preprocessing.output_hw)}
    else:
        module = _Reader(model)
        inputs = {"input_ids": torch.ones(2, facts.context_length, dtype=torch.int64)}
        if facts.text_recipe.endswith("mask"):
            inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    batch = torch.export.Dim("batch")
    write_graph(
        module,
        path,
        inputs,
        input_names=list(inputs),
        output_names=[_OUTPUTS[tower]],
        axes={name: {0: batch} for name in inputs},
    )


def _compare_patches(folder: Path, expected: NDArray[np.float32], precision: str, threads: int | None) -> None:
    """Refuse patches that differ from PyTorch's; the graph is one for every precision."""
    variant = _SUFFIXES[precision].removeprefix("_") or None
    graphs = OnnxEncoder(folder, name=folder.name, variant=variant, threads=threads)
    worst = float(np.abs(graphs.encode_patches(_patch_probe(graphs.facts)) - expected).max())
    if worst > WORST_DIFFERENCE:
        raise ModelError(
            f"the patches of the graphs differ from PyTorch's by {worst:.1e}, more than {WORST_DIFFERENCE:g}",
            remedy="Use the transformers backend for this model.",
        )


def _patch_probe(facts: EncoderFacts) -> list[RgbImage]:
    return list(probe_pictures(*facts.preprocessing.output_hw)[2:4])


def _compare(folder: Path, precision: str, expected: Probed, threads: int | None) -> Parity:
    variant = _SUFFIXES[precision].removeprefix("_") or None
    found = probe(OnnxEncoder(folder, name=folder.name, variant=variant, threads=threads))
    differences = [np.abs(ours - theirs).max() for ours, theirs in zip(found, expected, strict=True)]
    parity = Parity(precision, float(max(differences)), *worst_cosines(found, expected))
    if precision == "float32" and parity.worst_difference > WORST_DIFFERENCE:
        raise ModelError(
            f"the float32 graphs differ from PyTorch by {parity.worst_difference:.1e}, more than {WORST_DIFFERENCE:g}",
            remedy="Use the transformers backend for this model.",
        )
    return parity
