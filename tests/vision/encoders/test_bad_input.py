"""Everything that can be handed to an encoder by mistake or by malice: embeddings, or an error that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.vision.address_space import with_little_memory
from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.errors import ModelError, ModelMissingError

_IMAGE = np.full((30, 40, 3), 128, np.uint8)


@pytest.fixture(scope="module", params=["clip", "siglip", "siglip2", "storybook-encoder", "colour"])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each family of the transformers backend, a trained encoder, and the one without a model."""
    name = request.param
    if name == "colour":
        return ColourEncoder()
    place = name if "-" in name else str(request.getfixturevalue(f"{name}_folder"))
    return load_encoder(place, threads=1)


@pytest.mark.parametrize("shape", [(1, 1, 3), (20000, 10, 3), (10, 20000, 3), (1, 3, 3), (3, 1, 3)])
def test_a_picture_of_any_shape_is_embedded(encoder: Encoder, shape: tuple[int, int, int]):
    _assert_unit(encoder.encode_images([np.zeros(shape, np.uint8)]), encoder)


_NO_PICTURES = {
    "float": (_IMAGE / 255, r"image 1: .* got \(30, 40, 3\) float64"),
    "grey": (_IMAGE[..., 0], r"image 1: .* got \(30, 40\) uint8"),
    "with alpha": (np.zeros((5, 5, 4), np.uint8), r"image 1: .* got \(5, 5, 4\) uint8"),
    "no columns": (_IMAGE[:, :0], r"image 1: .* got \(30, 0, 3\)"),
    "a Pillow picture": (Image.fromarray(_IMAGE), "image 1: .* got Image"),
    "nothing": (None, "image 1: .* got NoneType"),
}


@pytest.mark.parametrize(("picture", "message"), _NO_PICTURES.values(), ids=_NO_PICTURES)
def test_what_is_no_picture_is_refused_with_its_place(encoder: Encoder, picture: Any, message: str):
    with pytest.raises(ModelError, match=message) as caught:
        encoder.encode_images([_IMAGE, picture])
    assert caught.value.remedy


_TEXTS = {
    "empty": "",
    "blank": " \t\n",
    "overlong": "a dog " * 3000,
    "a NUL in between": "a\0dog",
    "NUL alone": "\0",
    "a lone surrogate in between": "a \ud800 dog",
    "a lone surrogate alone": "\udfff",
    "emoji": "👩‍👩‍👧 dog",
    "right to left": "כלב אדום",
    "nothing to see": "\u200b",
    "tags": "</s> <image> <|endoftext|>",
}


@pytest.mark.parametrize("text", _TEXTS.values(), ids=_TEXTS)
def test_any_text_is_embedded(encoder: Encoder, text: str):
    _assert_unit(encoder.encode_text([text]), encoder)


def test_a_lone_surrogate_reads_as_the_replacement_character(encoder: Encoder):
    broken, replaced = encoder.encode_text(["a \ud800 dog", "a \ufffd dog"])
    np.testing.assert_array_equal(broken, replaced)


def test_nothing_in_nothing_out(encoder: Encoder):
    height, width = encoder.facts.preprocessing.output_hw
    none: list[Callable[[], Any]] = [
        lambda: encoder.encode_text([]),
        lambda: encoder.encode_images([]),
        lambda: encoder.encode_prepared(np.zeros((0, height, width, 3), np.uint8)),
    ]
    assert [call().shape for call in none] == [(0, encoder.facts.dim)] * 3


def test_one_text_in_place_of_a_list_is_refused(encoder: Encoder):
    with pytest.raises(ModelError, match="a list of texts, got the text 'dog'") as caught:
        encoder.encode_text("dog")
    assert caught.value.remedy


def test_prepared_pixels_of_another_size_or_type_are_refused(encoder: Encoder):
    height, width = encoder.facts.preprocessing.output_hw
    for pixels in (np.zeros((1, height + 1, width, 3), np.uint8), np.zeros((1, height, width, 3), np.float32)):
        with pytest.raises(ModelError, match="prepared pixels: expected"):
            encoder.encode_prepared(pixels)


@pytest.mark.parametrize(
    "name", ["", "/no/such/folder", "~nobody-has-this-name/x", "x" * 9000, "a\0b", "\ud800", "<grounding>", __file__]
)
def test_an_encoder_that_is_not_there_is_refused_with_a_remedy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelMissingError) as caught:
        load_encoder(name)
    assert caught.value.remedy


def test_a_picture_for_which_there_is_no_memory_at_all_is_named(clip_folder: Path):
    encoder = load_encoder(str(clip_folder), threads=1)
    # Zeros that nobody has written to take no memory; their copy would take 300 MB.
    images = [_IMAGE, np.zeros((10_000, 10_000, 3), np.uint8)]
    with pytest.raises(ModelError, match="input 1 alone does not fit into memory"):
        with_little_memory(lambda: encoder.encode_images(images), 100 << 20)


def _assert_unit(embeddings: Any, encoder: Encoder) -> None:
    assert embeddings.shape == (1, encoder.facts.dim)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
