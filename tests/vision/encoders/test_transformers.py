"""The transformers backend gives what the library's own model and processor give, and refuses what it cannot trust."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoTokenizer, CLIPModel, SiglipModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from vision.encoders.transformers import TransformersEncoder
from vision.errors import ModelError, ModelMissingError
from vision.types import RgbImage

TEXTS = ["a cat sits on a red mat", "two dogs", "the quick brown fox jumps over a lazy dog " * 5]


def _encoder(folder: Path) -> TransformersEncoder:
    return TransformersEncoder(folder, name=folder.name, threads=1)


def _unit(output: Any) -> np.ndarray:
    return torch.nn.functional.normalize(output.pooler_output, dim=-1).numpy()


def test_clip_embeds_images_as_the_library_does(clip_folder: Path, pictures: list[RgbImage]) -> None:
    processor = CLIPImageProcessorPil.from_pretrained(clip_folder)
    pixels = processor([Image.fromarray(picture) for picture in pictures], return_tensors="pt")
    with torch.inference_mode():
        expected = _unit(CLIPModel.from_pretrained(clip_folder).get_image_features(**pixels))
    np.testing.assert_allclose(_encoder(clip_folder).encode_images(pictures), expected, atol=1e-5)


def test_clip_embeds_text_as_the_library_does(clip_folder: Path) -> None:
    tokens = AutoTokenizer.from_pretrained(clip_folder)(
        TEXTS, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = _unit(CLIPModel.from_pretrained(clip_folder).get_text_features(**tokens))
    np.testing.assert_allclose(_encoder(clip_folder).encode_text(TEXTS), expected, atol=1e-5)


@pytest.mark.parametrize("family", ["siglip_folder", "siglip2_folder"])
def test_siglip_embeds_images_as_the_library_does(
    family: str, request: pytest.FixtureRequest, pictures: list[RgbImage]
) -> None:
    folder = request.getfixturevalue(family)
    pixels = SiglipImageProcessorPil.from_pretrained(folder)(
        [Image.fromarray(picture) for picture in pictures], return_tensors="pt"
    )
    with torch.inference_mode():
        expected = _unit(SiglipModel.from_pretrained(folder).get_image_features(**pixels))
    np.testing.assert_allclose(_encoder(folder).encode_images(pictures), expected, atol=1e-5)


@pytest.mark.parametrize("family", ["siglip_folder", "siglip2_folder"])
def test_siglip_reads_lower_case_text_padded_to_full_length_without_a_mask(
    family: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(family)
    tokens = AutoTokenizer.from_pretrained(folder, padding_side="right")(
        TEXTS, padding="max_length", max_length=64, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        expected = _unit(SiglipModel.from_pretrained(folder).get_text_features(input_ids=tokens["input_ids"]))
    np.testing.assert_allclose(_encoder(folder).encode_text([text.upper() for text in TEXTS]), expected, atol=1e-5)


def test_the_tokenizer_of_siglip2_alone_tells_capitals_apart_but_the_encoder_does_not(siglip2_folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(siglip2_folder)
    assert type(tokenizer).__name__ == "GemmaTokenizer"
    assert tokenizer("A Cat")["input_ids"] != tokenizer("a cat")["input_ids"]
    capital, small = _encoder(siglip2_folder).encode_text(["A Cat", "a cat"])
    np.testing.assert_array_equal(capital, small)


def test_padding_on_the_left_as_the_tokenizer_would_have_it_gives_other_embeddings(siglip2_folder: Path) -> None:
    left = AutoTokenizer.from_pretrained(siglip2_folder, padding_side="left")(
        ["a cat"], padding="max_length", max_length=64, return_tensors="pt"
    )
    with torch.inference_mode():
        wrong = _unit(SiglipModel.from_pretrained(siglip2_folder).get_text_features(input_ids=left["input_ids"]))
    assert not np.allclose(_encoder(siglip2_folder).encode_text(["a cat"]), wrong, atol=1e-3)


@pytest.mark.parametrize(
    ("family", "context", "recipe"),
    [
        ("clip_folder", 77, "pad=max_length:77|right|ids+mask"),
        ("siglip_folder", 64, "lower|pad=max_length:64|right|ids"),
        ("siglip2_folder", 64, "lower|pad=max_length:64|right|ids"),
    ],
)
def test_the_facts_state_the_recipe(family: str, context: int, recipe: str, request: pytest.FixtureRequest) -> None:
    facts = _encoder(request.getfixturevalue(family)).facts
    assert (facts.backend, facts.context_length, facts.text_recipe) == ("transformers", context, recipe)
    assert facts.preprocessing.output_hw == (32, 32)


def test_prepared_pixels_give_the_same_embeddings_as_the_images(clip_folder: Path, pictures: list[RgbImage]) -> None:
    encoder = _encoder(clip_folder)
    prepared = np.stack([encoder.facts.preprocessing.prepare(picture) for picture in pictures])
    # The two may be cut into batches of other sizes, which moves the last digit.
    np.testing.assert_allclose(encoder.encode_prepared(prepared), encoder.encode_images(pictures), atol=1e-6)


def test_embeddings_have_unit_length_and_nothing_gives_nothing(clip_folder: Path, pictures: list[RgbImage]) -> None:
    encoder = _encoder(clip_folder)
    for embeddings in (encoder.encode_text(TEXTS), encoder.encode_images(pictures)):
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    assert encoder.encode_text([]).shape == encoder.encode_images([]).shape == (0, 16)


def test_a_text_far_too_long_is_cut_at_the_context(siglip2_folder: Path) -> None:
    # Sixty letters fill all but the last positions, so that what follows cannot matter.
    encoder = _encoder(siglip2_folder)
    one, other = encoder.encode_text(["b" * 100 + "cat", "b" * 100 + "dog"])
    np.testing.assert_array_equal(one, other)


def test_threads_may_share_an_encoder(clip_folder: Path) -> None:
    encoder = _encoder(clip_folder)
    alone = encoder.encode_text(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(encoder.encode_text, [TEXTS] * 16):
            np.testing.assert_allclose(together, alone, atol=1e-6)


def test_the_thread_count_is_set_on_purpose(clip_folder: Path) -> None:
    TransformersEncoder(clip_folder, name="clip", threads=1)
    assert torch.get_num_threads() == 1


def test_the_revision_follows_the_content_and_not_the_place(clip_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(clip_folder, tmp_path / "copy")
    assert _encoder(copy).facts.identity == _encoder(clip_folder).facts.identity
    (copy / "tokenizer_config.json").write_text((copy / "tokenizer_config.json").read_text() + "\n")
    assert _encoder(copy).facts.identity != _encoder(clip_folder).facts.identity


def test_weights_that_overflow_are_named_by_the_input(clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "overflowing")
    model = CLIPModel.from_pretrained(folder)
    with torch.no_grad():
        model.visual_projection.weight.fill_(torch.inf)
    model.save_pretrained(folder)
    encoder = _encoder(folder)
    with pytest.raises(ModelError, match="image 0: the model's embedding is not finite"):
        encoder.encode_prepared(np.zeros((2, 32, 32, 3), np.uint8))


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((1, 16, 16, 3), np.uint8), r"expected \(n, 32, 32, 3\) uint8, got \(1, 16, 16, 3\) uint8"),
        (np.zeros((32, 32, 3), np.uint8), r"got \(32, 32, 3\) uint8"),
        (np.zeros((1, 32, 32, 3), np.float32), "got .* float32"),
        (np.zeros((1, 3, 32, 32), np.uint8), r"got \(1, 3, 32, 32\)"),
    ],
)
def test_pixels_of_another_shape_or_kind_are_refused(clip_folder: Path, pixels: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        _encoder(clip_folder).encode_prepared(pixels)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), "u1"),
    ],
)
def test_images_that_are_not_rgb_bytes_are_refused_by_position(clip_folder: Path, image: Any) -> None:
    with pytest.raises(ModelError, match="image 1: expected"):
        _encoder(clip_folder).encode_images([np.zeros((4, 4, 3), np.uint8), image])


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _pickles_only(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _corrupt_weights(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def _weights_of_half_a_model(folder: Path) -> None:
    CLIPModel.from_pretrained(folder).vision_model.save_pretrained(folder / "half")
    (folder / "half" / "model.safetensors").replace(folder / "model.safetensors")


def _text(name: str, content: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_text(content)

    return write


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        content = (folder / name).read_text()
        assert old in content
        (folder / name).write_text(content.replace(old, new))

    return edit


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_remove("config.json"), ModelMissingError, "config.json is missing"),
        (_text("config.json", "{"), ModelError, "cannot be read as JSON"),
        (_text("config.json", "[]"), ModelError, "expected a JSON object, got list"),
        (_replace("config.json", '"model_type": "clip",', '"model_type": "bert",'), ModelError, "architecture 'bert'"),
        (_replace("config.json", '"model_type": "clip",', '"model_type": "siglip2",'), ModelError, "NaFlex"),
        (_remove("model.safetensors"), ModelMissingError, "model.safetensors is missing"),
        (_pickles_only, ModelError, "only pickled weights .pytorch_model.bin."),
        (_corrupt_weights, ModelError, "the weights cannot be loaded"),
        (_weights_of_half_a_model, ModelError, "weights are missing or of another shape"),
        (_remove("tokenizer.json"), ModelMissingError, "tokenizer.json is missing"),
        (_text("tokenizer.json", "{}"), ModelError, "the tokenizer cannot be loaded"),
        (_remove("preprocessor_config.json"), ModelMissingError, "preprocessor_config.json is missing"),
        (_text("preprocessor_config.json", '{"size": 32, "crop_size": 32}'), ModelError, "cannot be used"),
        (_replace("preprocessor_config.json", "32", "16"), ModelError, "reads 32×32 px, .* makes 16×16"),
    ],
)
def test_a_folder_that_cannot_be_trusted_is_refused_by_name(
    clip_folder: Path, tmp_path: Path, damage: Callable[[Path], None], error: type[ModelError], message: str
) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "damaged")
    damage(folder)
    with pytest.raises(error, match=message) as caught:
        _encoder(folder)
    assert caught.value.remedy
