"""A graph that this processor computes wrongly is refused at load, and its file is not blamed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vision.encoders.registry import load_encoder
from vision.errors import ModelError

_DIM = 8


def _vision(folder: Path, taken: list[int], value: float) -> None:
    """A tower that gives as many rows as `taken` says (a slice's end), each full of a value."""
    old = onnx.load(folder / "onnx" / "vision_model.onnx")
    dim = old.graph.output[0].type.tensor_type.shape.dim[-1].dim_value or _DIM
    nodes = [
        helper.make_node("Slice", ["pixel_values", "start", "end", "axis"], ["some"]),
        helper.make_node("Flatten", ["some"], ["flat"]),
        helper.make_node("ReduceMax", ["flat", "across"], ["one"], keepdims=1),
        helper.make_node("Mul", ["one", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "row"], ["image_embeds"]),
    ]
    constants = {
        "start": np.array([0]),
        "end": np.array(taken),
        "axis": np.array([0]),
        "across": np.array([1]),
        "zero": np.zeros(1, np.float32),
        "row": np.full((1, dim), value, np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "tower",
        [old.graph.input[0]],
        [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["n", dim])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "onnx" / "vision_model.onnx")


_WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "no rows": (lambda folder: _vision(folder, [0], 1.0), r"an array \(0, \d+\) came out where \(2, \d+\) is right"),
    "a row too few": (lambda folder: _vision(folder, [1], 1.0), r"an array \(1, \d+\) came out"),
    "no number": (lambda folder: _vision(folder, [9], float("nan")), "what came out is not finite"),
}


@pytest.mark.parametrize(("spoil", "reason"), _WRONG.values(), ids=_WRONG)
def test_what_a_graph_gives_is_checked_before_anything_relies_on_it(
    exported_folder: Path, tmp_path: Path, spoil: Callable[[Path], None], reason: str
):
    folder = shutil.copytree(exported_folder, tmp_path / "model")
    spoil(folder)
    with pytest.raises(
        ModelError, match=f"vision_model.onnx: onnx cannot compute it on this processor: {reason}"
    ) as no:
        load_encoder(str(folder), threads=1, backend="onnx")
    assert "backend or precision" in no.value.remedy
    assert "etch" not in no.value.remedy
