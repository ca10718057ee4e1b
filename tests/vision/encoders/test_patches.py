"""Patches lie where the pictures and texts of their encoder lie, each by itself, in the order of the picture."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPModel, SiglipConfig, SiglipModel

from vision.encoders.base import LocatingEncoder
from vision.encoders.transformers import TransformersEncoder
from vision.errors import ModelError
from vision.types import RgbImage


def _encoder(folder: Path, **options: str) -> TransformersEncoder:
    return TransformersEncoder(folder, name=folder.name, threads=1, **options)


@pytest.mark.parametrize("family", ["clip_folder", "siglip_folder"])
def test_there_is_a_unit_vector_for_every_patch_and_the_batch_does_not_matter(
    family: str, request: pytest.FixtureRequest, pictures: list[RgbImage]
) -> None:
    encoder = _encoder(request.getfixturevalue(family))
    assert isinstance(encoder, LocatingEncoder)
    patches = encoder.encode_patches(pictures)
    assert patches.shape == (4, 4, 4, encoder.facts.dim)
    assert patches.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(patches, axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(encoder.encode_patches(pictures[2:3])[0], patches[2], atol=1e-5)
    assert encoder.encode_patches([]).shape == (0, 4, 4, encoder.facts.dim)


def test_siglip_pools_each_patch_as_if_it_were_the_whole_picture(siglip_folder: Path, tmp_path: Path) -> None:
    """Of a model whose picture is one patch, the patch and the picture must have one embedding."""
    folder = shutil.copytree(siglip_folder, tmp_path / "one")
    config = SiglipConfig.from_pretrained(siglip_folder)
    config.vision_config.patch_size = config.vision_config.image_size
    torch.manual_seed(0)
    SiglipModel(config).save_pretrained(folder)
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    encoder = _encoder(folder)
    np.testing.assert_allclose(encoder.encode_patches([picture])[:, 0, 0], encoder.encode_images([picture]), atol=1e-5)


def test_a_clip_whose_class_token_reads_one_patch_alone_embeds_the_picture_as_that_patch(
    clip_folder: Path, pictures: list[RgbImage]
) -> None:
    """What is left of the last layer without attention, residual and MLP is the value path: removed by hand here."""
    encoder = _encoder(clip_folder)
    tower = CLIPModel.from_pretrained(clip_folder).eval()
    pixels = torch.from_numpy(
        encoder.facts.preprocessing.normalise(encoder.facts.preprocessing.prepare(pictures[0])[None])
    )
    row, column = 2, 1
    caught = []

    def read_one_patch(_module: object, _arguments: object, named: dict[str, torch.Tensor], _output: object) -> tuple:
        only = named["hidden_states"][:, 1 + 4 * row + column : 2 + 4 * row + column]
        return last.self_attn.out_proj(last.self_attn.v_proj(only)), None

    last = tower.vision_model.encoder.layers[-1]
    last.self_attn.register_forward_hook(read_one_patch, with_kwargs=True)
    last.self_attn.register_forward_hook(lambda _module, _arguments, output: caught.append(output[0]))
    with torch.inference_mode():
        tower.get_image_features(pixel_values=pixels)
        expected = tower.visual_projection(tower.vision_model.post_layernorm(caught[0][:, 0]))
    expected = torch.nn.functional.normalize(expected, dim=-1).numpy()[0]
    np.testing.assert_allclose(encoder.encode_patches(pictures[:1])[0, row, column], expected, atol=1e-5)


@pytest.mark.parametrize("family", ["clip_folder", "siglip_folder"])
@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_every_precision_gives_about_the_same_patches(
    family: str, precision: str, request: pytest.FixtureRequest, pictures: list[RgbImage]
) -> None:
    folder = request.getfixturevalue(family)
    exact = _encoder(folder).encode_patches(pictures[:2])
    rough = _encoder(folder, precision=precision).encode_patches(pictures[:2])
    assert (exact * rough).sum(axis=-1).min() > 0.98


def test_a_patch_that_is_not_finite_is_refused(clip_folder: Path, tmp_path: Path, pictures: list[RgbImage]) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    weights["visual_projection.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="patch 0"):
        _encoder(folder).encode_patches(pictures[:1])


def test_something_that_is_no_picture_is_refused(clip_folder: Path) -> None:
    with pytest.raises(ModelError, match="image 0"):
        _encoder(clip_folder).encode_patches([np.zeros((4, 4), np.uint8)])
