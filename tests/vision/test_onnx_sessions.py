"""ONNX Runtime as we open it multiplies bytes exactly, also on processors that saturate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vision.errors import ModelError
from vision.onnx_sessions import open_session

_INNER, _OUTER = 64, 48


def _bytes_graph(path: Path, weights: np.ndarray) -> Path:
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w", "zero"], ["y"])],
        "bytes",
        [
            helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", _INNER]),
            helper.make_tensor_value_info("zero", TensorProto.UINT8, []),
        ],
        [helper.make_tensor_value_info("y", TensorProto.INT32, ["n", _OUTER])],
        [numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


@pytest.mark.parametrize("rows", [1, 3, 50])
@pytest.mark.parametrize("largest", [True, False], ids=["all at the top", "any"])
def test_products_of_bytes_are_exact(tmp_path: Path, rows: int, largest: bool):
    random = np.random.default_rng(rows)
    weights = np.full((_INNER, _OUTER), 127, np.int8) if largest else random.integers(-127, 128, (_INNER, _OUTER))
    told = np.full((rows, _INNER), 255, np.uint8) if largest else random.integers(0, 256, (rows, _INNER))
    session = open_session(_bytes_graph(tmp_path / "g.onnx", weights.astype(np.int8)), 1, remedy="")
    (found,) = session.run(["y"], {"x": told.astype(np.uint8), "zero": np.array(100, np.uint8)})
    assert np.array_equal(found, (told.astype(np.int64) - 100) @ weights.astype(np.int64))


def test_a_file_that_is_no_graph_is_named_with_the_callers_remedy(tmp_path: Path):
    (tmp_path / "g.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"g.onnx: onnxruntime cannot load it") as refusal:
        open_session(tmp_path / "g.onnx", 1, remedy="Fetch it.")
    assert refusal.value.remedy == "Fetch it."
