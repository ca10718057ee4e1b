"""The colour encoder ranks by colours and places, the same in every process, and matches nothing it does not know."""

from __future__ import annotations

import numpy as np
import pytest

from vision.encoders.colour import ColourEncoder
from vision.types import RgbImage

_RED, _BLUE, _GREEN = (220, 30, 30), (40, 90, 210), (40, 150, 40)


def _halves(first: tuple[int, int, int], second: tuple[int, int, int], *, upright: bool = False) -> RgbImage:
    image = np.empty((60, 90, 3), np.uint8)
    if upright:
        image[:30], image[30:] = first, second
    else:
        image[:, :45], image[:, 45:] = first, second
    return image


_IMAGES = {
    "red left of blue": _halves(_RED, _BLUE),
    "blue left of red": _halves(_BLUE, _RED),
    "blue above green": _halves(_BLUE, _GREEN, upright=True),
    "green above blue": _halves(_GREEN, _BLUE, upright=True),
    "all green": _halves(_GREEN, _GREEN),
}


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("red left", "red left of blue"),
        ("something red on the right", "blue left of red"),
        ("blue sky at the top, green grass at the bottom", "blue above green"),
        ("green at the top", "green above blue"),
        ("GREEN", "all green"),
    ],
)
def test_a_query_finds_the_picture_with_its_colours_in_their_places(query: str, best: str) -> None:
    encoder = ColourEncoder()
    scores = encoder.encode_text([query]) @ encoder.encode_images(list(_IMAGES.values())).T
    assert list(_IMAGES)[int(scores.argmax())] == best


@pytest.mark.parametrize("text", ["zebra", "", "?!", "left", "日本語"])
def test_words_outside_the_table_match_no_picture(text: str) -> None:
    encoder = ColourEncoder()
    scores = encoder.encode_text([text]) @ encoder.encode_images(list(_IMAGES.values())).T
    np.testing.assert_allclose(scores, 0, atol=1e-6)


def test_embeddings_are_unit_length_float32_and_do_not_depend_on_the_batch() -> None:
    encoder = ColourEncoder()
    images = list(_IMAGES.values())
    together = encoder.encode_images(images)
    assert together.dtype == np.float32
    assert together.shape == (len(images), encoder.facts.dim)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(together, np.concatenate([encoder.encode_images([image]) for image in images]))


def test_the_same_text_gives_the_same_numbers_in_every_process() -> None:
    # Written down once: Python's own string hash would choose other places from run to run.
    (embedding,) = ColourEncoder().encode_text(["a red zebra on the left"])
    red_in_the_left_cells, other_words = [3, 36, 69], [105, 109, 119, 124]
    assert np.flatnonzero(embedding).tolist() == red_in_the_left_cells + other_words


def test_nothing_gives_nothing() -> None:
    encoder = ColourEncoder()
    assert encoder.encode_text([]).shape == encoder.encode_images([]).shape == (0, encoder.facts.dim)
