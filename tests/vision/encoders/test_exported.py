"""Exported graphs compute what PyTorch computes, load back by the same door, and are refused when they differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from vision.encoders.base import LocatingEncoder
from vision.encoders.comparing import probe, worst_cosines
from vision.encoders.graph_patches import PATCH_GRAPH
from vision.encoders.registry import load_encoder
from vision.errors import ModelError, NoHeatMapError
from vision.export.encoders import WORST_DIFFERENCE, export_encoder
from vision.export.writing import MARK
from vision.localize import heat_maps


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


@pytest.mark.parametrize("backend", ["onnx", "onnx:int8", "openvino", "openvino:int8"])
def test_the_patches_of_every_graph_backend_are_pytorchs(backend: str, exported_folder: Path) -> None:
    if backend.startswith("openvino"):
        pytest.importorskip("openvino")
    pictures = list(np.random.default_rng(0).integers(0, 256, (2, 96, 160, 3)).astype(np.uint8))
    graphs = load_encoder(str(exported_folder), threads=1, backend=backend)
    assert isinstance(graphs, LocatingEncoder)
    expected = load_encoder("storybook-encoder", threads=1).encode_patches(pictures)  # type: ignore[attr-defined]
    np.testing.assert_allclose(graphs.encode_patches(pictures), expected, atol=1e-4)
    assert graphs.encode_patches([]).shape == (0, 8, 8, graphs.facts.dim)


def test_siglips_patches_are_exported_too(siglip2_folder: Path, tmp_path: Path) -> None:
    export_encoder(str(siglip2_folder), tmp_path / "out", threads=1)
    pictures = list(np.random.default_rng(0).integers(0, 256, (3, 40, 30, 3)).astype(np.uint8))
    torch_encoder, graphs = (load_encoder(str(folder), threads=1) for folder in (siglip2_folder, tmp_path / "out"))
    assert isinstance(torch_encoder, LocatingEncoder)
    assert isinstance(graphs, LocatingEncoder)
    np.testing.assert_allclose(graphs.encode_patches(pictures), torch_encoder.encode_patches(pictures), atol=1e-4)


def test_a_folder_without_the_patch_graph_keeps_its_identity_and_says_who_writes_it(
    exported_folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(exported_folder, tmp_path / "copy")
    (copy / PATCH_GRAPH).unlink()
    old = load_encoder(str(copy), threads=1)
    assert old.facts.identity == load_encoder(str(exported_folder), threads=1).facts.identity
    with pytest.raises(NoHeatMapError, match=r"patch_model.onnx.*\n.*deixis export"):
        heat_maps(old, np.zeros((8, 8, 3), np.uint8), ["a dog"])


@pytest.mark.parametrize("wrong", ["vision_model.onnx", "text_model.onnx"])
def test_another_graph_in_place_of_the_patch_graph_is_refused(
    wrong: str, exported_folder: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(exported_folder, tmp_path / "copy")
    shutil.copyfile(copy / "onnx" / wrong, copy / PATCH_GRAPH)
    with pytest.raises(ModelError, match=r"expected pixel_values → patch_embeds"):
        heat_maps(load_encoder(str(copy), threads=1), np.zeros((8, 8, 3), np.uint8), ["a dog"])


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
        "patch_model.onnx",
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
