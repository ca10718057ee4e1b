"""Looks at a picture and its parts: where each grid lies, and patches of one size whatever the encoder's grid."""

from __future__ import annotations

import numpy as np
import pytest

from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.errors import ModelError, NoHeatMapError
from vision.looks import GRID, WHOLE, WITH_PARTS, Looks, _pooled, look_at_pictures


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("storybook-encoder", threads=1)


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_every_look_has_its_place_and_unit_patches(encoder: Encoder) -> None:
    first, second = look_at_pictures(encoder, [noise(90, 120), noise(64, 64)])
    assert first.patches.shape == second.patches.shape == (WITH_PARTS, GRID, GRID, encoder.facts.dim)
    np.testing.assert_allclose(np.linalg.norm(first.patches, axis=-1), 1, atol=1e-5)
    assert first.views[0].tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(first.views[4], [0.4, 0.4, 1, 1], atol=0.01)
    assert first.cosines(encoder.encode_text(["a dog", "snow"])).shape == (WITH_PARTS * GRID * GRID, 2)
    shapes, covers = first.layout()
    assert (shapes, covers[0].as_xyxy()) == ([(GRID, GRID)] * WITH_PARTS, (0, 0, 1, 1))
    assert (first.cells(WHOLE), first.cells(WITH_PARTS)) == (GRID * GRID, WITH_PARTS * GRID * GRID)


def test_parts_are_looks_of_their_own(encoder: Encoder) -> None:
    picture = noise(100, 100)
    (whole,) = look_at_pictures(encoder, [picture])
    (corner,) = look_at_pictures(encoder, [picture[:60, :60]], WHOLE)
    np.testing.assert_allclose(whole.patches[1], corner.patches[0], atol=1e-5)


def test_a_picture_too_small_for_parts_is_seen_whole_each_time(encoder: Encoder) -> None:
    (looks,) = look_at_pictures(encoder, [noise(4, 90)])
    assert looks.views.tolist() == [[0, 0, 1, 1]] * WITH_PARTS


@pytest.mark.parametrize("cells", [7, 8, 14, 16, 27])
def test_any_grid_is_brought_to_one_size_and_keeps_what_is_where(cells: int) -> None:
    patches = np.zeros((1, cells, cells, 2), np.float32)
    patches[..., 0] = 1
    patches[:, cells // 2 :, :, :] = [0, 1]  # the lower half is another thing
    pooled = _pooled(patches)
    assert pooled.shape == (1, GRID, GRID, 2)
    np.testing.assert_allclose(np.linalg.norm(pooled, axis=-1), 1, atol=1e-6)
    assert (pooled[0, :3, :, 0] > 0.99).all()
    assert (pooled[0, 5:, :, 1] > 0.99).all()


def test_cells_of_padding_show_nothing() -> None:
    patches = np.zeros((1, GRID, GRID, 2), np.float32)
    patches[..., 1] = 1
    patches[:, 2:6, :] = [1, 0]
    looks = Looks(patches, np.array([[0, -0.5, 1, 1.5]], np.float32))  # a wide picture in the middle of a square
    assert looks.cosines(np.array([[0, 1]], np.float32)).max() == 0
    shapes, covers = looks.layout()
    assert (shapes, covers[0].as_xyxy()) == ([(4, GRID)], (0, 0, 1, 1))


def test_an_encoder_without_patches_and_another_number_of_looks_are_refused(encoder: Encoder) -> None:
    with pytest.raises(NoHeatMapError):
        look_at_pictures(ColourEncoder(), [noise(20, 20)])
    with pytest.raises(ModelError, match="1 or 5 times"):
        look_at_pictures(encoder, [noise(20, 20)], 3)
    assert look_at_pictures(encoder, []) == []
