"""The onnx backend runs the hub's layout exactly: small graphs against numpy, and photo-tiny on real photographs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageOps
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from vision.encoders.onnx import OnnxEncoder
from vision.errors import ModelError, ModelMissingError

_WORDS = ["[PAD]", "[UNK]", "a", "cat", "Cat", "A", "two", "red", "dogs", "stand", "on", "hill"]
_SIDE_PX, _DIM = 8, 4
_RANDOM = np.random.default_rng(7)
_PROJECTION = _RANDOM.standard_normal((3, _DIM)).astype(np.float32)
_TABLE = _RANDOM.standard_normal((len(_WORDS), _DIM)).astype(np.float32)


def _save_graph(path: Path, inputs: list[Any], nodes: list[Any], weights: dict[str, np.ndarray], output: str) -> None:
    graph = helper.make_graph(
        nodes,
        "tower",
        inputs,
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", _DIM])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)


def _save_vision(path: Path, *, scale: float = 1.0, name: str = "pixel_values") -> None:
    """Mean colour times a matrix."""
    _save_graph(
        path,
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3, _SIDE_PX, _SIDE_PX])],
        [
            helper.make_node("GlobalAveragePool", [name], ["mean"]),
            helper.make_node("Flatten", ["mean"], ["flat"]),
            helper.make_node("MatMul", ["flat", "projection"], ["image_embeds"]),
        ],
        {"projection": _PROJECTION * np.float32(scale)},
        "image_embeds",
    )


def _save_text(path: Path, *, masked: bool = False, length: int | str = "sequence") -> None:
    """Sum of word vectors: padding counts like any word, unless there is a mask."""
    inputs = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", length])]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["words"])]
    if masked:
        inputs.append(helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", length]))
        nodes += [
            helper.make_node("Unsqueeze", ["attention_mask", "last"], ["wide"]),
            helper.make_node("Cast", ["wide"], ["weight"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["words", "weight"], ["kept"]),
        ]
    nodes.append(helper.make_node("ReduceSum", ["kept" if masked else "words", "one"], ["text_embeds"], keepdims=0))
    weights = {"table": _TABLE, "one": np.array([1]), **({"last": np.array([-1])} if masked else {})}
    _save_graph(path, inputs, nodes, weights, "text_embeds")


@pytest.fixture
def onnx_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    _save_vision(folder / "onnx" / "vision_model.onnx")
    _save_text(folder / "onnx" / "text_model.onnx")
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(_WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    _save_json(folder / "tokenizer_config.json", {"pad_token": "[PAD]", "model_max_length": 6})
    _save_json(folder / "config.json", {"model_type": "some-dual-encoder"})
    size = {"height": _SIDE_PX, "width": _SIDE_PX}
    _save_json(
        folder / "preprocessor_config.json",
        {"size": size, "do_center_crop": False, "image_mean": [0.5] * 3, "image_std": [0.5] * 3},
    )
    return folder


def _save_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content))


def _encoder(folder: Path, **options: Any) -> OnnxEncoder:
    return OnnxEncoder(folder, name="made here", threads=1, **options)


def _sum_of_words(ids: Sequence[int]) -> np.ndarray:
    total = _TABLE[list(ids)].sum(axis=0)
    return total / np.linalg.norm(total)


def test_images_are_normalised_and_projected_as_the_graph_says(onnx_folder: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, _SIDE_PX, _SIDE_PX, 3), dtype=np.uint8)
    means = ((pixels / 255 - 0.5) / 0.5).mean(axis=(1, 2)) @ _PROJECTION
    expected = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(_encoder(onnx_folder).encode_prepared(pixels), expected, atol=1e-5)


def test_text_is_padded_to_full_length_where_nothing_masks_padding_out(onnx_folder: Path) -> None:
    encoder = _encoder(onnx_folder)
    assert encoder.facts.text_recipe == "pad=max_length:6|right|ids"
    np.testing.assert_allclose(encoder.encode_text(["a cat"])[0], _sum_of_words([2, 3, 0, 0, 0, 0]), atol=1e-6)


def test_text_is_padded_to_the_longest_where_the_tokenizer_asks_for_it(onnx_folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(onnx_folder / "tokenizer.json"))
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    tokenizer.save(str(onnx_folder / "tokenizer.json"))
    encoder = _encoder(onnx_folder)
    assert encoder.facts.text_recipe == "pad=longest:6|right|ids"
    np.testing.assert_allclose(encoder.encode_text(["a cat"])[0], _sum_of_words([2, 3]), atol=1e-6)
    np.testing.assert_allclose(encoder.encode_text([""])[0], _sum_of_words([0]), atol=1e-6)


def test_a_graph_with_a_mask_gets_one(onnx_folder: Path) -> None:
    _save_text(onnx_folder / "onnx" / "text_model.onnx", masked=True)
    encoder = _encoder(onnx_folder)
    assert encoder.facts.text_recipe == "pad=longest:6|right|ids+mask"
    embeddings = encoder.encode_text(["a cat", "two red dogs on a hill stand"])
    np.testing.assert_allclose(embeddings[0], _sum_of_words([2, 3]), atol=1e-6)
    np.testing.assert_allclose(embeddings[1], _sum_of_words([6, 7, 8, 10, 2, 11]), atol=1e-6)


def test_a_graph_of_fixed_length_gets_that_length(onnx_folder: Path) -> None:
    _save_text(onnx_folder / "onnx" / "text_model.onnx", length=4)
    encoder = _encoder(onnx_folder)
    assert encoder.facts.context_length == 4
    np.testing.assert_allclose(encoder.encode_text(["a cat"])[0], _sum_of_words([2, 3, 0, 0]), atol=1e-6)


def test_siglip_graphs_read_lower_case_padded_on_the_right_whatever_the_tokenizer_says(onnx_folder: Path) -> None:
    _save_json(onnx_folder / "config.json", {"model_type": "siglip"})
    _save_json(onnx_folder / "tokenizer_config.json", {"pad_token": "[PAD]", "padding_side": "left"})
    encoder = _encoder(onnx_folder)
    assert encoder.facts.text_recipe == "lower|pad=max_length:64|right|ids"
    np.testing.assert_array_equal(*encoder.encode_text(["A Cat", "a cat"]))


def test_a_variant_is_used_only_when_it_is_asked_for(onnx_folder: Path) -> None:
    _save_vision(onnx_folder / "onnx" / "vision_model_quantized.onnx", scale=-1)
    _save_text(onnx_folder / "onnx" / "text_model_quantized.onnx")
    plain, variant = _encoder(onnx_folder), _encoder(onnx_folder, variant="quantized")
    assert (plain.facts.backend, variant.facts.backend) == ("onnx", "onnx:quantized")
    assert plain.facts.identity != variant.facts.identity
    pixels = np.full((1, _SIDE_PX, _SIDE_PX, 3), 200, np.uint8)
    np.testing.assert_allclose(plain.encode_prepared(pixels), -variant.encode_prepared(pixels), atol=1e-6)


@pytest.mark.parametrize(("family", "rounding"), [("clip", "floor"), ("some-dual-encoder", "nearest")])
def test_the_long_side_rounds_as_the_models_own_figures_were_made(
    onnx_folder: Path, family: str, rounding: str
) -> None:
    _save_json(onnx_folder / "config.json", {"model_type": family, "text_config": {"max_position_embeddings": 6}})
    assert _encoder(onnx_folder).facts.preprocessing.long_edge == rounding


def test_nothing_gives_nothing(onnx_folder: Path) -> None:
    assert _encoder(onnx_folder).encode_text([]).shape == _encoder(onnx_folder).encode_images([]).shape == (0, _DIM)


def test_an_embedding_without_direction_is_named_by_its_input(onnx_folder: Path) -> None:
    _save_vision(onnx_folder / "onnx" / "vision_model.onnx", scale=0)
    with pytest.raises(ModelError, match="image 0: the model's embedding is zero"):
        _encoder(onnx_folder).encode_images([np.full((5, 5, 3), 9, np.uint8)])


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _json(name: str, content: Any) -> Callable[[Path], None]:
    return lambda folder: _save_json(folder / name, content)


_OTHER_SIZE = {"size": {"height": 9, "width": 9}, "do_center_crop": False, "image_mean": [0] * 3, "image_std": [1] * 3}


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_remove("onnx/vision_model.onnx"), ModelMissingError, "onnx/vision_model.onnx is missing\nThere: onnx/text"),
        (lambda folder: shutil.rmtree(folder / "onnx"), ModelMissingError, "Copy the model's onnx folder"),
        (lambda folder: (folder / "onnx/text_model.onnx").write_bytes(b"no"), ModelError, "onnxruntime cannot load it"),
        (
            lambda folder: _save_vision(folder / "onnx/vision_model.onnx", name="x"),
            ModelError,
            "expected .'pixel_values'",
        ),
        (_remove("tokenizer.json"), ModelMissingError, "tokenizer.json is missing"),
        (_json("tokenizer.json", {"model": 1}), ModelError, "cannot be read as a tokenizer"),
        (_json("tokenizer_config.json", {"pad_token": "[PAD]"}), ModelError, "how many tokens"),
        (_json("tokenizer_config.json", {"pad_token": "<p>", "model_max_length": 6}), ModelError, "'<p>' is not in"),
        (_json("preprocessor_config.json", _OTHER_SIZE), ModelError, r"reads \(8, 8\) pixels, .* makes \(9, 9\)"),
    ],
)
def test_a_folder_that_cannot_be_trusted_is_refused_by_name(
    onnx_folder: Path, damage: Callable[[Path], Any], error: type[ModelError], message: str
) -> None:
    damage(onnx_folder)
    with pytest.raises(error, match=message) as caught:
        _encoder(onnx_folder)
    assert caught.value.remedy


def test_a_tokenizer_that_knows_no_word_fails_its_self_test(onnx_folder: Path) -> None:
    Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1}, unk_token="[UNK]")).save(str(onnx_folder / "tokenizer.json"))
    with pytest.raises(ModelError, match="gives different texts the same tokens"):
        _encoder(onnx_folder)


@pytest.fixture(scope="session")
def photo_tiny(photo_tiny_dir: Path) -> OnnxEncoder:
    return OnnxEncoder(photo_tiny_dir, name="photo-tiny", threads=1)


def test_photo_tiny_reaches_the_reference_figures_on_real_photographs(
    photo_tiny: OnnxEncoder, photos_dir: Path
) -> None:
    """The reference script's figures: text→image R@1 29.9, R@5 72.0, R@10 85.6, ties in the query's favour."""
    captions = json.loads((photos_dir / "captions.json").read_text())
    pictures = []
    for image in captions["images"]:
        with Image.open(photos_dir / "images" / image["file_name"]) as picture:
            pictures.append(np.asarray(ImageOps.exif_transpose(picture).convert("RGB")))
    column = {image["id"]: number for number, image in enumerate(captions["images"])}
    truth = [column[caption["image_id"]] for caption in captions["annotations"]]
    queries = photo_tiny.encode_text([caption["caption"] for caption in captions["annotations"]])
    scores = queries @ photo_tiny.encode_images(pictures).T
    ranks = (scores > scores[np.arange(len(truth)), truth][:, None]).sum(axis=1)
    assert len(truth) == 515
    figures = [100 * float((ranks < k).mean()) for k in (1, 5, 10)]
    np.testing.assert_allclose(figures, [29.9, 72.0, 85.6], atol=0.6)


def test_the_company_a_text_keeps_does_not_change_its_embedding(photo_tiny: OnnxEncoder) -> None:
    texts = ["a brown bear", "two zebras standing beside each other in tall grass under a tree", "", "!?"]
    alone = np.concatenate([photo_tiny.encode_text([text]) for text in texts])
    np.testing.assert_allclose(photo_tiny.encode_text(texts), alone, atol=1e-6)
