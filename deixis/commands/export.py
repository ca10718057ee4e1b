"""`deixis export`: a model as ONNX graphs that load back, with the proof that they compute the same."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from deixis import exit_codes
from deixis.context import read_settings
from deixis.options import Json, Threads
from deixis.output import err, out, print_json
from vision.encoders.builtin import BUILT_IN
from vision.encoders.folders import read_json
from vision.encoders.presets import PRESETS
from vision.encoders.registry import find_model
from vision.grounding.presets import CAPTIONERS

_CAPTIONERS = ("kosmos-2", "florence2")


def export(
    model: Annotated[str, typer.Argument(help="Encoder or captioner: preset, folder, or cached hub id.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder to make; an earlier export there is replaced.")],
    precision: Annotated[
        list[str] | None,
        typer.Option(
            "--precision", help="float32, float16 or int8; give it twice for two. Left out: float32 and int8."
        ),
    ] = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Write a model's ONNX graphs, compare them with PyTorch, and make the folder appear when both are done.

    An encoder's folder is a --model for every command; `--precision int8` or `--backend openvino` says how to run it.
    """
    settings = read_settings(threads=threads)
    asked: dict[str, Any] = {
        "precisions": tuple(dict.fromkeys(precision or ("float32", "int8"))),
        "threads": settings.compute_threads,
        "progress": lambda step: err().print(f"{model}: {step}"),
    }
    if is_captioner(model):
        from vision.export.captioner import export_captioner  # noqa: PLC0415  # torch takes seconds

        parities = [asdict(parity) for parity in export_captioner(model, folder, **asked)]
    else:
        from vision.export.encoders import export_encoder  # noqa: PLC0415  # torch takes seconds

        parities = [asdict(parity) for parity in export_encoder(model, folder, **asked)]
    if json:
        print_json({"model": model, "folder": str(folder), "parity": parities})
        return exit_codes.OK
    out().print(f"{model} exported to {folder}; against PyTorch in float32:")
    for parity in parities:
        named = parity.pop("precision")
        figures = ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in parity.items())
        out().print(f"  {named:<8} {figures}")
    return exit_codes.OK


def is_captioner(model: str) -> bool:
    """Whether a preset, folder or cached hub id is a captioner; without loading it."""
    if model in CAPTIONERS:
        return True
    if model in PRESETS or model in BUILT_IN or model == "colour":
        return False
    folder = find_model(model).folder
    return read_json(folder, "config.json").get("model_type") in _CAPTIONERS


def _shown(value: float) -> str:
    return f"{value:.1e}" if 0 < value < 0.01 else f"{value:.6g}"
