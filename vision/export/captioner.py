"""Writes Kosmos-2 as ONNX graphs with an explicit memory, and proves that they write what PyTorch writes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.export import Dim

from vision.encoders.folders import PREPROCESSING_FILES, TOKENIZER_FILES, read_json
from vision.encoders.hub import ModelPlace
from vision.errors import ModelError
from vision.export.graphs import quantise_graph, require_packages, write_graph
from vision.export.kosmos2_graphs import Decoder, Embedding, Eyes
from vision.export.writing import whole_folder
from vision.grounding.engine import Engine
from vision.grounding.networks import TorchNetwork
from vision.grounding.onnx_reader import (
    DECODER,
    EMBEDDING,
    EXPORTED_PRECISIONS,
    GRAPH_FOLDER,
    VISION,
    graph_name,
    is_exported,
)
from vision.grounding.prompts import caption_prompt
from vision.grounding.registry import find_captioner
from vision.precision import check_precision

WORST_DIFFERENCE = 1e-3
"""Largest difference between a logit of our float32 graphs and PyTorch's that is still the same model."""

_KIND = "kosmos-2"
_PROBE_STEPS = 4
_PROBE_SEED = 0


@dataclass(frozen=True, slots=True)
class CaptionParity:
    """How one precision's graphs compare with PyTorch in float32, on prompts of mixed length about random pictures.

    Attributes:
        precision: of the graphs.
        worst_difference: largest absolute difference between logits, behind the prompts and behind each token written.
        cosine: between the logits of the row and step that suffer most.
        same_choices: share of the steps at which both would write the same token, 0 to 1.
    """

    precision: str
    worst_difference: float
    cosine: float
    same_choices: float


def export_captioner(
    model: str,
    out: Path,
    *,
    precisions: Sequence[str] = ("float32", "int8"),
    threads: int | None = None,
    progress: Callable[[str], None] = lambda step: None,
) -> list[CaptionParity]:
    """Write the graphs that `vision.grounding.onnx_reader` describes, with tokenizer, preprocessing and configuration.

    The folder appears when all of it is written and has passed the comparison; `load_captioner(str(out))` reads it.

    Args:
        model: as for `load_captioner`; a Kosmos-2 with its weights.
        out: the folder to make; absent, empty, or an earlier export, which is replaced.
        precisions: some of `EXPORTED_PRECISIONS`.
        threads: CPU cores; None for all.
        progress: called with what is being done.

    Returns:
        A comparison per precision, in the order asked for.

    Raises:
        ModelMissingError: the model, or a package of the extra `export`, is not here.
        ModelError: the model cannot be loaded or written, `out` is somebody else's, or the graphs differ from PyTorch.
    """
    for precision in precisions:
        check_precision(precision, EXPORTED_PRECISIONS, of="an exported captioner")
    require_packages()
    place = _place_to_export(model)
    progress("loading")
    engine = Engine(
        place.folder, name=place.name, revision=place.revision, languages=None, threads=threads, precision="float32"
    )
    expected = _probe(engine)
    facts: dict[str, Any] = {"kind": "captioner", "name": place.name, "revision": engine.facts.revision}
    with whole_folder(out, facts) as folder:
        for name in ("config.json", *PREPROCESSING_FILES, *TOKENIZER_FILES):
            if (place.folder / name).is_file():
                shutil.copyfile(place.folder / name, folder / name)
        _write_full(engine, folder, progress)
        del engine  # the weights of a large model leave no room for their 8-bit form beside them
        _derive(folder, precisions, progress)
        parities = []
        for precision in precisions:
            progress(f"comparing {precision} with PyTorch")
            parities.append(_compare(folder, precision, expected, threads))
        facts["parity"] = [asdict(parity) for parity in parities]
    return parities


def _place_to_export(model: str) -> ModelPlace:
    place = find_captioner(model)
    if is_exported(place.folder):
        raise ModelError(f"{place.folder} is an export already", remedy="Name the folder that holds the weights.")
    kind = read_json(place.folder, "config.json").get("model_type")
    if kind != _KIND:
        raise ModelError(f"{model} is a {kind}, not a {_KIND}", remedy="Only Kosmos-2 captioners can be exported.")
    return place


def _write_full(engine: Engine, folder: Path, progress: Callable[[str], None]) -> None:
    assert isinstance(engine.network, TorchNetwork)  # exports were refused above
    model = engine.network.model.cpu()
    # Fused attention is an operator of PyTorch's own; plain attention is products.
    model.set_attn_implementation("eager")
    (folder / GRAPH_FOLDER).mkdir()
    for graph, write in ((VISION, _write_eyes), (EMBEDDING, _write_embedding), (DECODER, _write_decoder)):
        progress(f"writing {graph} in float32")
        write(model, folder / graph_name(graph, "float32"))


def _derive(folder: Path, precisions: Sequence[str], progress: Callable[[str], None]) -> None:
    for graph in (VISION, DECODER):
        full = folder / graph_name(graph, "float32")
        if "int8" in precisions:
            progress(f"writing {graph} in int8")
            quantise_graph(full, folder / graph_name(graph, "int8"))
        if "float32" not in precisions:
            full.unlink()
            full.with_name(f"{full.name}_data").unlink(missing_ok=True)


def _write_eyes(model: Any, path: Path) -> None:
    side = int(model.config.vision_config.image_size)
    write_graph(
        Eyes(model),
        path,
        {"pixel_values": torch.zeros(2, 3, side, side)},
        input_names=["pixel_values"],
        output_names=["latents"],
        axes={"pixel_values": {0: Dim("batch")}},
    )


def _write_embedding(model: Any, path: Path) -> None:
    write_graph(
        Embedding(model),
        path,
        {"input_ids": torch.zeros(2, 3, dtype=torch.int64)},
        input_names=["input_ids"],
        output_names=["inputs_embeds"],
        axes={"input_ids": {0: Dim("batch"), 1: Dim("tokens")}},
    )


def _write_decoder(model: Any, path: Path) -> None:
    config = model.config.text_config
    layers, heads, width = int(config.layers), int(config.attention_heads), int(config.embed_dim)
    rows, tokens, room, kept = 2, 3, 5, 2
    parts = [f"{layer}.{part}" for layer in range(layers) for part in ("key", "value")]
    inputs = {
        "inputs_embeds": torch.zeros(rows, tokens, width),
        "past_attention_mask": torch.ones(rows, room, dtype=torch.bool),
        "attention_mask": torch.ones(rows, tokens, tokens, dtype=torch.bool),
        "position_ids": torch.zeros(rows, tokens, dtype=torch.int64),
        "kept": torch.arange(kept),
        "past_key_values": [torch.zeros(rows, heads, room, width // heads) for _ in parts],
    }
    batch, text, places = Dim("batch"), Dim("tokens"), Dim("room")
    write_graph(
        Decoder(model),
        path,
        inputs,
        input_names=[*list(inputs)[:-1], *(f"past_key_values.{part}" for part in parts)],
        output_names=["logits", *(f"new.{part}" for part in parts)],
        axes={
            "inputs_embeds": {0: batch, 1: text},
            "past_attention_mask": {0: batch, 1: places},
            "attention_mask": {0: batch, 1: text, 2: text},
            "position_ids": {0: batch, 1: text},
            "kept": {0: Dim("kept")},
            "past_key_values": [{0: batch, 2: places} for _ in parts],
        },
    )


def _probe(engine: Engine, follow: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Logits `(steps, n, vocabulary)` behind three prompts and each token after them; those tokens, `(steps, n)`.

    Args:
        engine: what writes.
        follow: tokens to read instead of its own, so that two engines answer the same questions.
    """
    side = engine.facts.image_px
    random = np.random.default_rng(_PROBE_SEED)
    pictures = [random.integers(0, 256, (side, side, 3)).astype(np.uint8) for _ in range(3)]
    texts = [
        caption_prompt("brief", "en", spoken=("en",)),
        caption_prompt("detailed", "en", spoken=("en",)),
        "Question: what is this? Answer:",
    ]
    logits, written = [], []
    with torch.inference_mode():
        latents = engine.reader.see(engine.pixels(pictures))
        prompts = engine.vocabulary.prompt_ids(texts)
        context = engine.reader.read(latents, range(len(prompts)), prompts, room=_PROBE_STEPS)
        for step in range(_PROBE_STEPS):
            logits.append(context.logits.cpu())
            written.append(context.logits.argmax(1) if follow is None else follow[step])
            engine.reader.step(context, written[-1])
    return torch.stack(logits), torch.stack(written)


def _compare(folder: Path, precision: str, expected: tuple[Tensor, Tensor], threads: int | None) -> CaptionParity:
    engine = Engine(folder, name=folder.name, revision="", languages=None, threads=threads, precision=precision)
    logits, _ = _probe(engine, follow=expected[1])
    cosines = torch.nn.functional.cosine_similarity(logits, expected[0], dim=2)
    parity = CaptionParity(
        precision,
        worst_difference=float((logits - expected[0]).abs().max()),
        cosine=float(cosines.min()),
        same_choices=float((logits.argmax(2) == expected[0].argmax(2)).float().mean()),
    )
    if precision == "float32" and parity.worst_difference > WORST_DIFFERENCE:
        raise ModelError(
            f"the float32 graphs differ from PyTorch by {parity.worst_difference:.1e}, more than {WORST_DIFFERENCE:g}",
            remedy="Use the folder with the weights.",
        )
    return parity
