"""How a backend is called (`transformers:int8`, `onnx`, `openvino:bfloat16`), and which of them a folder can run."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from vision.errors import ModelError
from vision.precision import PRECISIONS, check_precision

KINDS = ("transformers", "onnx", "openvino")
"""The backends of model folders, in the order of preference where nothing else decides."""

_PRECISIONS = {
    "transformers": PRECISIONS,
    "onnx": ("float32", "float16", "int8"),
    "openvino": ("float32", "bfloat16", "int8"),
}
# The suffixes of the hub's ONNX layout; the first that is there stands for its precision.
GRAPH_SUFFIXES = {"float32": ("",), "float16": ("fp16",), "int8": ("int8", "quantized")}
"""Precision → suffixes of `vision_model_SUFFIX.onnx` that hold it."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What computes, and how precisely. Its text is part of an encoder's identity; float32 goes without saying.

    Attributes:
        kind: one of `KINDS`.
        variant: a precision for `transformers` and `openvino`, the suffix of the graphs' names for `onnx`; empty for
            float32.
    """

    kind: str
    variant: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.variant}" if self.variant else self.kind

    @property
    def precision(self) -> str:
        """The precision by name; the suffix itself for graphs whose suffix does not tell."""
        if self.kind != "onnx":
            return self.variant or "float32"
        return next((name for name, known in GRAPH_SUFFIXES.items() if self.variant in known), self.variant)


def parse_backend(text: str) -> Backend:
    """Read a backend's name.

    Raises:
        ModelError: no such backend, or one that does not compute in this precision.
    """
    kind, colon, variant = text.partition(":")
    if kind not in KINDS or (colon and not variant):
        raise ModelError(
            f"unknown backend {text!r}",
            remedy="Choose transformers, onnx or openvino, also with a precision or variant, as transformers:int8.",
        )
    if kind == "onnx":
        return Backend(kind, variant)
    precision = check_precision(variant or "float32", _PRECISIONS[kind], of=kind)
    return Backend(kind, "" if precision == "float32" else precision)


def backend_for(folder: Path, backend: str | None, precision: str | None) -> Backend:
    """Put together what a user asked for and what a folder holds.

    Args:
        folder: the model folder.
        backend: a name as of `parse_backend`; None reads the kind off the files, preferring `transformers`.
        precision: one of `PRECISIONS`; None for what the backend's name says, else float32.

    Raises:
        ModelError: an unknown backend, a precision that it does not have, or two that contradict each other.
    """
    named = parse_backend(backend or _kind_of(folder))
    if precision is None:
        return named
    check_precision(precision, _PRECISIONS[named.kind], of=named.kind)
    if named.variant and named.precision != precision:
        raise ModelError(f"backend {named} and precision {precision} contradict each other", remedy="Give one of them.")
    if named.variant:
        return named
    if named.kind == "onnx":
        suffixes = GRAPH_SUFFIXES[precision]
        return Backend("onnx", next((suffix for suffix in suffixes if _has_graphs(folder, suffix)), suffixes[0]))
    return Backend(named.kind, "" if precision == "float32" else precision)


def satisfies(own: Backend, backend: str | None, precision: str | None) -> bool:
    """Whether what computes already is what somebody asks for; what is left open is satisfied by anything.

    Args:
        own: what computes.
        backend: a name as of `parse_backend`; without a precision it asks for the kind alone.
        precision: one of `PRECISIONS`.

    Raises:
        ModelError: an unknown backend or precision.
    """
    if precision is not None:
        check_precision(precision, PRECISIONS, of=own.kind)
    if backend is not None:
        asked = parse_backend(backend)
        if asked.kind != own.kind or (":" in backend and asked.precision != own.precision):
            return False
    return precision is None or own.precision == precision


def available_backends(folder: Path) -> list[Backend]:
    """Everything that this installation can run from a model folder; the float32 reference comes first.

    OpenVINO counts where it is installed; it reads the full-precision graphs and makes its own 8-bit weights of them.
    """
    found: list[Backend] = []
    if any(folder.glob("*.safetensors")):
        found += [parse_backend(f"transformers:{precision}") for precision in PRECISIONS]
    for suffixes in GRAPH_SUFFIXES.values():
        found += [Backend("onnx", suffix) for suffix in suffixes if _has_graphs(folder, suffix)]
    if _has_graphs(folder, "") and importlib.util.find_spec("openvino") is not None:
        found += [parse_backend(f"openvino:{precision}") for precision in _PRECISIONS["openvino"]]
    return found


def _has_graphs(folder: Path, suffix: str) -> bool:
    ending = f"_{suffix}.onnx" if suffix else ".onnx"
    return all((folder / "onnx" / f"{tower}_model{ending}").is_file() for tower in ("vision", "text"))


def _kind_of(folder: Path) -> str:
    if not any(folder.glob("*.safetensors")) and (folder / "onnx").is_dir():
        return "onnx"
    return "transformers"  # also of a folder without weights: it names what is missing, or that there are pickles only
