"""Our preprocessing equals the reference implementation in every bit, at every awkward size."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from vision.errors import ModelError
from vision.preprocessing import Preprocessing, preprocessing_from_config

SIZES_WH = [
    (1, 1),
    (1, 300),
    (3, 2000),
    (2000, 3),
    (50, 50),
    (100, 101),
    (223, 224),
    (224, 224),
    (225, 223),
    (333, 777),
    (640, 480),
]

PROCESSORS = {
    "CLIP": CLIPImageProcessorPil,
    "CLIP, edge below the crop": lambda: CLIPImageProcessorPil(size={"shortest_edge": 201}),
    "CLIP, bilinear, edge above the crop": lambda: CLIPImageProcessorPil(size={"shortest_edge": 256}, resample=2),
    "CLIP, squashed as Kosmos-2 wants it": lambda: CLIPImageProcessorPil(
        do_center_crop=False, size={"height": 224, "width": 224}
    ),
    "CLIP, crop only": lambda: CLIPImageProcessorPil(do_resize=False),
    "CLIP, odd padding on both sides": lambda: CLIPImageProcessorPil(size={"height": 100, "width": 131}),
    "CLIP, raw bytes": lambda: CLIPImageProcessorPil(do_rescale=False, do_normalize=False),
    "SigLIP": SiglipImageProcessorPil,
    "SigLIP at 256": lambda: SiglipImageProcessorPil(size={"height": 256, "width": 256}),
}


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width * 10_007 + height).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", PROCESSORS)
def test_pixels_equal_those_of_transformers_in_every_bit(name: str) -> None:
    reference = PROCESSORS[name]()
    ours = preprocessing_from_config(json.loads(reference.to_json_string()))
    for width, height in SIZES_WH:
        image = noise(width, height)
        expected = reference(Image.fromarray(image), return_tensors="np")["pixel_values"][0]
        prepared = ours.prepare(image)
        assert prepared.shape == (*ours.output_hw, 3)
        np.testing.assert_array_equal(ours.normalise(prepared[None])[0], expected, err_msg=f"{width} × {height}")


@pytest.mark.parametrize(("width", "height"), [(1, 1_100), (2_200, 2), (9, 9_503)])
def test_a_very_long_picture_is_prepared_without_being_resized_whole(width: int, height: int) -> None:
    steps = preprocessing_from_config({"size": {"shortest_edge": 224}, "crop_size": 200, **_STATISTICS})
    image = noise(width, height)
    # The reference makes the whole resized picture; here that is done once, by hand, to compare against.
    long_edge = int(224 * max(width, height) / min(width, height))
    whole = Image.fromarray(image).resize((224, long_edge) if width < height else (long_edge, 224), steps.resample)
    assert whole.width * whole.height > 50_000_000
    left, top = (whole.width - 200) // 2, (whole.height - 200) // 2
    expected = np.asarray(whole.crop((left, top, left + 200, top + 200))).astype(int)
    difference = np.abs(steps.prepare(image).astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


def test_a_picture_of_one_row_at_the_pixel_limit_costs_no_gigabytes() -> None:
    steps = preprocessing_from_config({"size": {"shortest_edge": 224}, "crop_size": 224, **_STATISTICS})
    image = np.full((1, 40_000_000, 3), 200, dtype=np.uint8)
    assert (steps.prepare(image) == 200).all()


def test_rounding_the_long_edge_is_a_choice() -> None:
    config = {"size": {"shortest_edge": 256}, "crop_size": 224, **_STATISTICS}
    image = noise(640, 427)  # 256 × 640 / 427 = 383.7
    floor = preprocessing_from_config(config).prepare(image)
    nearest = preprocessing_from_config(config, long_edge="nearest").prepare(image)
    by_hand = Image.fromarray(image).resize((384, 256), Image.Resampling.BICUBIC).crop((80, 16, 304, 240))
    np.testing.assert_array_equal(nearest, np.asarray(by_hand))
    assert not np.array_equal(floor, nearest)


def test_normalising_nothing_gives_nothing() -> None:
    steps = preprocessing_from_config({"size": 8, "crop_size": 8, **_STATISTICS})
    assert steps.normalise(np.empty((0, 8, 8, 3), np.uint8)).shape == (0, 3, 8, 8)


def test_integers_mean_what_the_hub_means_by_them() -> None:
    steps = preprocessing_from_config({"size": 224, "crop_size": 192, "do_normalize": False})
    assert steps == Preprocessing("shortest_edge", (224, 224), 3, (192, 192), 1 / 255, (0.0,) * 3, (1.0,) * 3)


_STATISTICS: dict[str, Any] = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"do_resize": False, "do_center_crop": False}, "neither resizes nor crops"),
        ({"size": {"shortest_edge": 224}, "do_center_crop": False}, "images would differ in size"),
        ({"size": {"longest_edge": 224}, "crop_size": 224}, "'size' is {'longest_edge': 224}"),
        ({"size": None, "do_center_crop": False}, "'size' is None"),
        ({"size": 224}, "'crop_size' is None"),
    ],
)
def test_a_config_that_leaves_the_size_open_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        preprocessing_from_config({**config, **_STATISTICS})
