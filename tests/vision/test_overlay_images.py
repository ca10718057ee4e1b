"""Heat over pictures: nothing where there is nothing, nothing where nothing is known, no value that no cell has."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vision.errors import GeometryError
from vision.heat_colours import heat_colours
from vision.overlay_images import (
    MAX_OPACITY,
    HeatScale,
    heat_layer,
    overlay,
    png_bytes,
    scale_from_middle,
    scale_from_zero,
)
from vision.types import Box, RgbImage


@pytest.fixture
def picture() -> RgbImage:
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)


@pytest.mark.parametrize("value", [0.0, 0.25, -1.0, np.nan])
def test_a_map_without_differences_leaves_the_picture_bare(picture: RgbImage, value: float) -> None:
    heat = np.full((4, 6), value, dtype=np.float32)
    assert np.array_equal(overlay(picture, heat, scale_from_middle(heat)), picture)
    if not value > 0:
        assert np.array_equal(overlay(picture, heat, scale_from_zero(heat)), picture)


def test_the_strongest_cell_has_the_last_colour_and_the_picture_shows_through(picture: RgbImage) -> None:
    heat = np.zeros((3, 3), dtype=np.float32)
    heat[1, 2] = 0.4
    layer = heat_layer(heat, (90, 60), scale_from_zero(heat))
    middle = layer[30, 75].astype(int)
    assert middle[:3] == pytest.approx(heat_colours()[-1].astype(int), abs=8)
    assert middle[3] / 255 == pytest.approx(MAX_OPACITY, abs=0.03)
    shown = overlay(picture, heat, scale_from_zero(heat))
    assert np.array_equal(shown[:, :20], picture[:, :20])
    expected = picture[30, 75] * (1 - middle[3] / 255) + middle[:3] * (middle[3] / 255)
    assert shown[30, 75] == pytest.approx(expected, abs=1.5)


def test_no_pixel_is_stronger_than_its_cell_and_its_neighbours() -> None:
    heat = np.random.default_rng(1).random((5, 7)).astype(np.float32)
    alpha = heat_layer(heat, (140, 100), HeatScale(0, 1))[..., 3] / 255 / MAX_OPACITY
    padded = np.pad(heat, 1, mode="edge")
    most = np.max([padded[y : y + 5, x : x + 7] for y in range(3) for x in range(3)], axis=0)
    least = np.min([padded[y : y + 5, x : x + 7] for y in range(3) for x in range(3)], axis=0)
    for drawn, cell in ((alpha, most), (-alpha, -least)):
        assert (drawn <= np.kron(cell, np.ones((20, 20))) + 0.01).all()
    middles = alpha[9::20, 9::20], alpha[10::20, 10::20]
    assert (middles[0] + middles[1]) / 2 == pytest.approx(heat, abs=0.03)


def test_a_cell_without_a_value_is_bare_and_does_not_pale_its_neighbours() -> None:
    heat = np.ones((2, 4), dtype=np.float32)
    heat[0, 1] = np.nan
    alpha = heat_layer(heat, (80, 40), HeatScale(0, 1))[..., 3]
    bare = np.zeros((40, 80), dtype=bool)
    bare[:20, 20:40] = True
    assert (alpha[bare] == 0).all()
    assert (alpha[~bare] == round(MAX_OPACITY * 255)).all()


def test_only_the_part_that_the_encoder_saw_is_drawn_on() -> None:
    covers = Box(0.25, 0, 0.75, 1)
    alpha = heat_layer(np.ones((3, 3), dtype=np.float32), (80, 40), HeatScale(0, 1), covers)[..., 3]
    assert (alpha[:, 20:60] > 0).all()
    assert not alpha[:, :20].any()
    assert not alpha[:, 60:].any()


@pytest.mark.parametrize("size_wh", [(1, 1), (2000, 1), (1, 500), (3, 7)])
def test_any_size_of_picture_can_be_covered(size_wh: tuple[int, int]) -> None:
    heat = np.random.default_rng(2).random((16, 16)).astype(np.float32)
    layer = heat_layer(heat, size_wh, scale_from_middle(heat), Box(0.999, 0.999, 1, 1))
    assert layer.shape == (size_wh[1], size_wh[0], 4)


@pytest.mark.parametrize(
    ("shape", "size_wh", "message"),
    [
        ((4,), (10, 10), "rows and columns, got the shape \\(4,\\)"),
        ((1, 4, 4), (10, 10), "rows and columns"),
        ((0, 4), (10, 10), "rows and columns"),
        ((4, 4), (0, 10), "at least 1 × 1 pixels, got 0 × 10"),
    ],
)
def test_what_is_no_map_or_no_size_is_refused(shape: tuple[int, ...], size_wh: tuple[int, int], message: str) -> None:
    with pytest.raises(GeometryError, match=message):
        heat_layer(np.zeros(shape, dtype=np.float32), size_wh, HeatScale(0, 1))


def test_scales_say_where_they_begin_and_end() -> None:
    heat = np.array([[0.1, 0.2, 0.9], [0.3, np.nan, 0.4]], dtype=np.float32)
    assert scale_from_zero(heat) == HeatScale(0, pytest.approx(0.9))
    assert scale_from_middle(heat) == HeatScale(pytest.approx(0.3), pytest.approx(0.9))
    assert scale_from_middle(heat).strength(np.float32([0, 0.3, 0.6, 2])) == pytest.approx([0, 0, 0.5, 1])


def test_a_png_has_the_pixels_it_was_given(picture: RgbImage) -> None:
    read = Image.open(io.BytesIO(png_bytes(picture)))
    assert read.format == "PNG"
    assert np.array_equal(np.asarray(read), picture)
