"""Exported graphs compute what PyTorch computes, load back by the same door, and are refused when they differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from vision.encoders.comparing import probe, worst_cosines
from vision.encoders.registry import load_encoder
from vision.errors import ModelError
from vision.export.encoders import WORST_DIFFERENCE, export_encoder
from vision.export.writing import MARK


def test_the_graphs_of_a_trained_encoder_give_what_pytorch_gives(exported_folder: Path) -> None:
    torch_encoder = load_encoder("storybook-encoder", threads=1)
    graphs, small = (load_encoder(str(exported_folder), threads=1, precision=name) for name in ("float32", "int8"))
    expected = probe(torch_encoder)
    for found, wanted in zip(probe(graphs), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=WORST_DIFFERENCE)
    assert min(worst_cosines(probe(small), expected)) >= 0.998
    assert (graphs.facts.backend, small.facts.backend) == ("onnx", "onnx:int8")
    for facts in (graphs.facts, small.facts):
        assert facts.preprocessing == torch_encoder.facts.preprocessing
        assert facts.text_recipe == torch_encoder.facts.text_recipe


def test_the_mark_says_what_was_exported_and_how_faithfully(exported_folder: Path) -> None:
    mark = json.loads((exported_folder / MARK).read_text())
    assert (mark["kind"], mark["name"]) == ("encoder", "storybook-encoder")
    assert [parity["precision"] for parity in mark["parity"]] == ["float32", "int8"]
    assert mark["parity"][0]["worst_difference"] <= WORST_DIFFERENCE


def test_the_8_bit_graphs_hold_8_bit_weights_and_a_batch_of_any_size(exported_folder: Path) -> None:
    for tower in ("vision", "text"):
        full, small = (onnx.load(exported_folder / "onnx" / f"{tower}_model{end}.onnx") for end in ("", "_int8"))
        assert "MatMulInteger" in {node.op_type for node in small.graph.node}
        assert small.ByteSize() < 0.6 * full.ByteSize()
        assert {node.type.tensor_type.shape.dim[0].dim_param for node in full.graph.input} == {"batch"}


def test_siglip2_is_exported_with_its_tokenizer_and_a_single_precision(siglip2_folder: Path, tmp_path: Path) -> None:
    (parity,) = export_encoder(str(siglip2_folder), tmp_path / "out", precisions=("int8",), threads=1)
    assert sorted(path.name for path in (tmp_path / "out" / "onnx").iterdir()) == [
        "text_model_int8.onnx",
        "vision_model_int8.onnx",
    ]
    assert min(parity.image_cosine, parity.text_cosine) >= 0.95  # random weights have no margin to spare
    assert load_encoder(str(tmp_path / "out"), threads=1, precision="int8").facts.text_recipe.startswith("lower|")


def test_a_tokenizer_without_a_form_for_graphs_is_refused_and_nothing_is_left(
    siglip_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"no form that ONNX backends read"):
        export_encoder(str(siglip_folder), tmp_path / "out", threads=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", ["bfloat16", "int4"])
def test_a_precision_that_graphs_cannot_have_is_refused(precision: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"an ONNX export does not compute in '{precision}'"):
        export_encoder("storybook-encoder", tmp_path / "out", precisions=(precision,))


def test_a_missing_variant_is_named_with_those_that_are_there(exported_folder: Path) -> None:
    with pytest.raises(
        ModelError, match=r"text_model_fp16.onnx is missing|vision_model_fp16.onnx is missing"
    ) as caught:
        load_encoder(str(exported_folder), threads=1, precision="float16")
    assert "onnx/vision_model_int8.onnx" in caught.value.remedy


def test_a_damaged_graph_is_an_error_of_its_file(exported_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(exported_folder, tmp_path / "copy")
    (copy / "onnx" / "text_model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"text_model.onnx: onnxruntime cannot load it"):
        load_encoder(str(copy), threads=1)
