"""Heat maps point at what the words name, in the coordinates of the whole picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.encoders.transformers import TransformersEncoder
from vision.errors import ModelError
from vision.localize import heat_maps, peak
from vision.types import Box, RgbImage

WHOLE = Box(0, 0, 1, 1)


@pytest.fixture(scope="module")
def storybook() -> Encoder:
    return load_encoder("storybook-encoder", threads=1)


@pytest.fixture(scope="module")
def cropping(tmp_path_factory: pytest.TempPathFactory) -> TransformersEncoder:
    """A small CLIP that keeps the middle 32 × 32 px of a picture whatever its size."""
    folder = tmp_path_factory.mktemp("cropping")
    pieces = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"{letter}</w>" for letter in pieces[2:]]
    CLIPTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]).save_pretrained(folder)
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    text = {**tower, "vocab_size": len(pieces), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPConfig(text_config=text, vision_config={**tower, "image_size": 32, "patch_size": 8}, projection_dim=8)
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(do_resize=False, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return TransformersEncoder(folder, name="cropping", threads=1)


def _picture(width: int, height: int) -> RgbImage:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_a_map_is_the_cosine_of_every_patch_with_the_text(storybook: Encoder) -> None:
    picture = _picture(200, 100)
    maps = heat_maps(storybook, picture, ["a red car", "ein Baum"])
    assert maps.texts == ("a red car", "ein Baum")
    assert (maps.maps.shape, maps.maps.dtype, maps.covers) == ((2, 8, 8), np.float32, WHOLE)
    patches = storybook.encode_patches([picture])[0]  # type: ignore[attr-defined]  # this one locates
    np.testing.assert_allclose(maps.maps[1, 5, 2], patches[5, 2] @ storybook.encode_text(["ein Baum"])[0], atol=1e-6)


def test_no_texts_give_no_maps(storybook: Encoder) -> None:
    assert heat_maps(storybook, _picture(9, 9), []).maps.shape == (0, 8, 8)


def test_what_a_drawn_scene_shows_is_pointed_at(storybook: Encoder) -> None:
    image = Image.new("RGB", (256, 256), (120, 190, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 150, 256, 256), fill=(90, 170, 80))
    draw.ellipse((136, 136, 248, 248), fill=(214, 48, 44))
    maps = heat_maps(storybook, np.asarray(image), ["a red ball"])
    x, y = peak(maps.maps[0], maps.covers)
    assert 136 / 256 < x < 248 / 256
    assert 136 / 256 < y < 248 / 256


@pytest.mark.parametrize(
    ("size_wh", "covers", "shape"),
    [
        ((32, 32), (0, 0, 1, 1), (4, 4)),
        ((64, 32), (0.25, 0, 0.75, 1), (4, 4)),
        ((128, 64), (0.375, 0.25, 0.625, 0.75), (4, 4)),
        # Padded with black: the cells that show some of the picture, and the whole of it.
        ((16, 32), (0, 0, 1, 1), (4, 2)),
        ((1, 1), (0, 0, 1, 1), (1, 1)),
    ],
)
def test_a_map_of_a_cropped_picture_says_which_part_it_covers(
    cropping: TransformersEncoder,
    size_wh: tuple[int, int],
    covers: tuple[float, float, float, float],
    shape: tuple[int, int],
) -> None:
    maps = heat_maps(cropping, _picture(*size_wh), ["cat"])
    assert maps.covers.as_xyxy() == pytest.approx(covers)
    assert maps.maps.shape == (1, *shape)


def test_the_peak_is_the_middle_of_the_strongest_cell_on_the_whole_picture() -> None:
    heat = np.zeros((2, 4), np.float32)
    heat[1, 3] = 1
    assert peak(heat, WHOLE) == (0.875, 0.75)
    assert peak(heat, Box(0.5, 0, 1, 0.5)) == (0.9375, 0.375)


def test_an_encoder_without_patches_says_so() -> None:
    with pytest.raises(ModelError, match="one embedding per picture") as caught:
        heat_maps(ColourEncoder(), _picture(9, 9), ["red"])
    assert "colour" in str(caught.value)
    assert "siglip2-base" in caught.value.remedy


def test_graphs_that_pool_inside_have_no_maps(photo_tiny_dir: Path) -> None:
    with pytest.raises(ModelError, match=r"patch_model\.onnx"):
        heat_maps(load_encoder(str(photo_tiny_dir), threads=1), _picture(9, 9), ["a dog"])
