"""What a picture looks like, in 64 bits: copies are near, other pictures are not."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.perceptual import PLAIN, perceptual_hash


def scene(seed: int) -> Image.Image:
    return render(generate_scene(seed, "test")).image


def differing(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


def sent(picture: Image.Image, longest_px: int, quality: int) -> Image.Image:
    """As a messenger passes it on."""
    small = picture.copy()
    small.thumbnail((longest_px, longest_px))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize(("longest_px", "quality"), [(160, 30), (320, 20), (96, 70)])
def test_a_smaller_and_coarser_copy_is_near(longest_px: int, quality: int) -> None:
    for seed in range(3):
        assert differing(perceptual_hash(scene(seed)), perceptual_hash(sent(scene(seed), longest_px, quality))) <= 8


def test_other_scenes_of_the_same_world_are_not_near() -> None:
    hashes = [perceptual_hash(scene(seed)) for seed in range(12)]
    assert min(differing(one, two) for i, one in enumerate(hashes) for two in hashes[:i]) > 6


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (1, 1)),
        Image.new("RGB", (500, 3), "red"),
        Image.new("RGB", (3, 500), "white"),
        Image.linear_gradient("L").convert("RGB"),
    ],
)
def test_a_picture_with_nothing_to_tell_it_by_is_plain(picture: Image.Image) -> None:
    assert perceptual_hash(picture) == PLAIN


def test_the_hash_fits_a_signed_column_and_uses_its_sign() -> None:
    hashes = [perceptual_hash(scene(seed)) for seed in range(12)]
    assert all(-(2**63) <= one < 2**63 for one in hashes)
    assert min(hashes) < 0 < max(hashes)


def test_copies_by_messengers_are_one_picture_and_photographs_are_many(shared_dir: Path) -> None:
    def hashes(folder: Path) -> list[int]:
        return [perceptual_hash(Image.open(path).convert("RGB")) for path in sorted(folder.rglob("*.jpg"))]

    copies, photos = hashes(shared_dir / "data" / "reports" / "copies"), hashes(shared_dir / "data" / "photos")
    assert max(differing(one, copies[0]) for one in copies) <= 6
    assert min(differing(one, two) for i, one in enumerate(photos) for two in photos[:i]) > 6
