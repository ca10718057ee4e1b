"""Names of backends: read, put together with a precision, and found out from a folder's files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from vision.encoders.backends import Backend, available_backends, backend_for, parse_backend
from vision.errors import ModelError


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("transformers", "float32"),
        ("transformers:int8", "int8"),
        ("onnx", "float32"),
        ("onnx:quantized", "int8"),
        ("onnx:fp16", "float16"),
        ("onnx:q4", "q4"),
        ("openvino:bfloat16", "bfloat16"),
    ],
)
def test_a_name_says_what_computes_and_how_precisely(text: str, precision: str) -> None:
    backend = parse_backend(text)
    assert str(backend) == text
    assert backend.precision == precision


def test_float32_goes_without_saying_so_that_known_identities_stay() -> None:
    assert str(parse_backend("transformers:float32")) == "transformers"


@pytest.mark.parametrize(
    ("backend", "precision", "chosen"),
    [
        (None, None, "transformers"),
        (None, "int8", "transformers:int8"),
        ("transformers:int8", "int8", "transformers:int8"),
        ("onnx", "float32", "onnx"),
        ("onnx", "int8", "onnx:quantized"),
        ("onnx", "float16", "onnx:fp16"),
        ("onnx:quantized", "int8", "onnx:quantized"),
        ("openvino", "bfloat16", "openvino:bfloat16"),
    ],
)
def test_backend_and_precision_are_put_together(
    backend: str | None, precision: str | None, chosen: str, tmp_path: Path
) -> None:
    graphs = [f"onnx/{tower}_model{ending}.onnx" for tower in ("vision", "text") for ending in ("", "_quantized")]
    assert str(backend_for(_touch(tmp_path, "model.safetensors", *graphs), backend, precision)) == chosen


@pytest.mark.parametrize(
    ("backend", "precision", "message"),
    [
        ("jax", None, "unknown backend 'jax'"),
        ("auto", None, "unknown backend 'auto'"),
        ("onnx:", None, "unknown backend 'onnx:'"),
        ("transformers:int4", None, "transformers does not compute in 'int4'"),
        ("openvino:float16", None, "openvino does not compute in 'float16'"),
        ("onnx", "bfloat16", "onnx does not compute in 'bfloat16'"),
        (None, "INT8", "transformers does not compute in 'INT8'\nChoose float32, bfloat16, float16, int8"),
        ("transformers:int8", "float32", "transformers:int8 and precision float32 contradict each other"),
    ],
)
def test_what_does_not_exist_or_contradicts_itself_is_refused(
    backend: str | None, precision: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        backend_for(tmp_path, backend, precision)


def test_a_folder_offers_what_its_files_and_the_installation_can_run(tmp_path: Path) -> None:
    assert available_backends(tmp_path) == []
    _touch(tmp_path, "onnx/vision_model_int8.onnx", "onnx/text_model_int8.onnx", "onnx/vision_model.onnx")
    assert available_backends(tmp_path) == [Backend("onnx", "int8")]
    _touch(tmp_path, "model.safetensors", "onnx/text_model.onnx")
    names = [str(backend) for backend in available_backends(tmp_path)]
    assert names[:6] == [
        *("transformers", "transformers:bfloat16", "transformers:float16", "transformers:int8"),
        *("onnx", "onnx:int8"),
    ]
    openvino = ["openvino", "openvino:bfloat16", "openvino:int8"] if importlib.util.find_spec("openvino") else []
    assert names[6:] == openvino
