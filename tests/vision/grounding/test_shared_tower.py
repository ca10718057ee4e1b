"""A captioner's tower serves a CLIP's embeddings if, and only if, it is that CLIP's tower."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer, Kosmos2ForConditionalGeneration

from vision.encoders.registry import load_encoder
from vision.encoders.transformers import TransformersEncoder
from vision.grounding.base import Decoding
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.shared_tower import TowersDifferError, first_difference, share_tower
from vision.types import RgbImage

_SIDE_PX = 28


def _save_clip(folder: Path, captioner_folder: Path, **settings: Any) -> Path:
    """A CLIP whose vision tower has the weights of the captioner's; `settings` go into its configuration."""
    pieces = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"{letter}</w>" for letter in pieces[2:]]
    CLIPTokenizer(vocab={piece: number for number, piece in enumerate(pieces)}, merges=[]).save_pretrained(folder)
    kosmos = Kosmos2ForConditionalGeneration.from_pretrained(captioner_folder, local_files_only=True)
    eyes = kosmos.config.vision_config
    shared = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size")
    vision = {name: getattr(eyes, name) for name in (*shared, "patch_size", "hidden_act", "layer_norm_eps")}
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    text = {**tower, "vocab_size": len(pieces), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    torch.manual_seed(1)
    clip = CLIPModel(CLIPConfig(text_config=text, vision_config={**vision, **settings}, projection_dim=8))
    clip.vision_model.load_state_dict(kosmos.vision_model.model.state_dict())
    clip.save_pretrained(folder)
    _save_processor(folder)
    return folder


def _save_processor(folder: Path, **changes: Any) -> None:
    CLIPImageProcessorPil(
        do_center_crop=False, size={"height": _SIDE_PX, "width": _SIDE_PX}, **changes
    ).save_pretrained(folder)


@pytest.fixture
def clip(captioner_folder: Path, tmp_path: Path) -> TransformersEncoder:
    return TransformersEncoder(_save_clip(tmp_path / "clip", captioner_folder), name="clip", threads=1)


@pytest.fixture
def own_captioner(captioner_folder: Path) -> Kosmos2Captioner:
    """A captioner that no other test shares."""
    return Kosmos2Captioner(captioner_folder, name="tiny", threads=1)


@pytest.fixture
def looks(own_captioner: Kosmos2Captioner) -> Iterator[list[int]]:
    """How many pictures each run of the captioner's tower looked at."""
    counts: list[int] = []

    def count(_module: object, _arguments: object, named: dict[str, torch.Tensor]) -> None:
        counts.append(len(named["pixel_values"]))

    tower = own_captioner.network.model.vision_model  # type: ignore[attr-defined]  # in PyTorch
    handle = tower.register_forward_pre_hook(count, with_kwargs=True)
    yield counts
    handle.remove()


def test_the_shared_tower_gives_the_embeddings_of_the_clip(
    own_captioner: Kosmos2Captioner, clip: TransformersEncoder, pictures: list[RgbImage]
) -> None:
    expected, texts = clip.encode_images(pictures), clip.encode_text(["a dog", "a cat"])
    shared = share_tower(own_captioner, clip)
    np.testing.assert_allclose(shared.encode_images(pictures), expected, atol=1e-6)
    np.testing.assert_array_equal(shared.encode_text(["a dog", "a cat"]), texts)
    assert shared.facts.identity == clip.facts.identity
    assert shared.calibration == clip.calibration
    np.testing.assert_allclose(clip.encode_images(pictures), expected, atol=1e-6)


def test_a_captioned_picture_is_embedded_without_another_look(
    own_captioner: Kosmos2Captioner, clip: TransformersEncoder, pictures: list[RgbImage], looks: list[int]
) -> None:
    expected = clip.encode_images(pictures)
    shared = share_tower(own_captioner, clip)
    captions = own_captioner.caption(pictures[:3], decoding=Decoding(max_new_tokens=8))
    assert sum(looks) == len(captions) == 3
    np.testing.assert_allclose(shared.encode_images(pictures[:3]), expected[:3], atol=1e-6)
    assert sum(looks) == 3
    np.testing.assert_allclose(shared.encode_images(pictures), expected, atol=1e-6)
    assert sum(looks) == 4
    shared.encode_images(pictures)
    assert sum(looks) == 4


def test_the_weights_are_in_memory_once(own_captioner: Kosmos2Captioner, clip: TransformersEncoder) -> None:
    share_tower(own_captioner, clip)
    tower = own_captioner.network.model.vision_model.model  # type: ignore[attr-defined]  # in PyTorch
    ours = {name: tensor.data_ptr() for name, tensor in tower.state_dict().items()}
    assert ours == {name: tensor.data_ptr() for name, tensor in clip.model.vision_model.state_dict().items()}


def test_a_shared_tower_that_is_gone_no_longer_watches(
    own_captioner: Kosmos2Captioner, clip: TransformersEncoder
) -> None:
    tower = own_captioner.network.model.vision_model  # type: ignore[attr-defined]  # in PyTorch
    shared = share_tower(own_captioner, clip)
    assert len(tower._forward_hooks) == 1
    del shared
    gc.collect()
    assert not tower._forward_hooks


def test_a_clip_that_crops_gets_the_squash_and_another_identity(
    own_captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path, pictures: list[RgbImage]
) -> None:
    folder = _save_clip(tmp_path / "clip", captioner_folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": _SIDE_PX}, crop_size={"height": _SIDE_PX, "width": _SIDE_PX}
    ).save_pretrained(folder)
    clip = TransformersEncoder(folder, name="clip", threads=1)
    shared = share_tower(own_captioner, clip)
    assert shared.facts.preprocessing == own_captioner.facts.preprocessing
    assert shared.facts.identity != clip.facts.identity
    squashed = np.stack([own_captioner.facts.preprocessing.prepare(picture) for picture in pictures])
    np.testing.assert_allclose(shared.encode_images(pictures), clip.encode_prepared(squashed), atol=1e-6)


def test_one_changed_number_is_found_and_named(
    own_captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path
) -> None:
    folder = _save_clip(tmp_path / "clip", captioner_folder)
    weights = load_file(folder / "model.safetensors")
    weights["vision_model.encoder.layers.1.mlp.fc2.weight"][3, 5] += 1e-3
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TowersDifferError, match=r"encoder\.layers\.1\.mlp\.fc2\.weight differs by up to 0\.001"):
        share_tower(own_captioner, TransformersEncoder(folder, name="clip", threads=1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_attention_heads": 4}, "num_attention_heads is 2 and 4"),
        ({"hidden_act": "relu"}, "hidden_act is 'quick_gelu' and 'relu'"),
        ({"layer_norm_eps": 1e-3}, "layer_norm_eps is 1e-05 and 0.001"),
    ],
)
def test_equal_tensors_that_compute_something_else_are_refused(
    settings: dict[str, Any], message: str, own_captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path
) -> None:
    folder = _save_clip(tmp_path / "clip", captioner_folder, **settings)
    with pytest.raises(TowersDifferError) as caught:
        share_tower(own_captioner, TransformersEncoder(folder, name="clip", threads=1))
    assert message in str(caught.value)
    assert caught.value.remedy


def test_another_precision_or_other_colours_are_refused(
    own_captioner: Kosmos2Captioner, captioner_folder: Path, tmp_path: Path
) -> None:
    folder = _save_clip(tmp_path / "clip", captioner_folder)
    with pytest.raises(TowersDifferError, match=r"torch\.float32 and .* torch\.bfloat16"):
        share_tower(own_captioner, TransformersEncoder(folder, name="clip", threads=1, precision="bfloat16"))
    _save_processor(folder, image_mean=[0.5, 0.5, 0.5])
    with pytest.raises(TowersDifferError, match="preprocessing has mean"):
        share_tower(own_captioner, TransformersEncoder(folder, name="clip", threads=1))


def test_a_tower_of_another_size_is_refused(own_captioner: Kosmos2Captioner) -> None:
    encoder = load_encoder("storybook-encoder", threads=1)
    assert isinstance(encoder, TransformersEncoder)
    with pytest.raises(TowersDifferError, match="tiny and storybook-encoder do not see alike"):
        share_tower(own_captioner, encoder)


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        ({"a": torch.zeros(2)}, {"a": torch.zeros(2)}, None),
        ({"a": torch.zeros(2)}, {"a": torch.zeros(2), "b": torch.zeros(1)}, "only the encoder has b"),
        ({"a": torch.zeros(2)}, {}, "only the captioner has a"),
        ({"a": torch.zeros(2)}, {"a": torch.zeros(3)}, "a is (2,) torch.float32 and (3,) torch.float32"),
        ({"a": torch.zeros(2)}, {"a": torch.full((2,), 2.0)}, "a differs by up to 2"),
    ],
)
def test_the_first_difference_is_told(
    ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor], message: str | None
) -> None:
    assert first_difference(ours, theirs) == message
