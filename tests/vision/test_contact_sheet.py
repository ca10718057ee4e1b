"""Captions beneath pictures: the pixels stay as they were, and no word comes out as boxes."""

from __future__ import annotations

import numpy as np
import pytest

from vision.contact_sheet import Panel, contact_sheet, with_caption
from vision.errors import GeometryError
from vision.types import RgbImage


def noise(width: int, height: int) -> RgbImage:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3)).astype(np.uint8)


@pytest.mark.parametrize(("width", "height"), [(300, 200), (240, 10), (1, 1), (10, 400)])
def test_words_stand_beneath_the_picture_and_never_on_it(width: int, height: int) -> None:
    picture = noise(width, height)
    shown = with_caption(Panel(picture, "a red ball", "0.01 to 0.30", 1))
    left = (shown.shape[1] - width) // 2
    assert np.array_equal(shown[:height, left : left + width], picture)
    assert shown.shape[1] == max(width, 240)
    assert (shown[height:] < 100).all(axis=-1).any(), "something is written"


def test_a_word_that_no_font_has_gives_way_to_its_number() -> None:
    picture = noise(300, 20)
    unknown = with_caption(Panel(picture, "\U0001f9ff\U000e0041", "", 7))  # a pictograph and an invisible tag
    assert np.array_equal(unknown, with_caption(Panel(picture, "\U000f0000", "", 7)))  # a private letter
    assert not np.array_equal(unknown, with_caption(Panel(picture, "\U000f0000", "", 8)))


def test_a_label_that_does_not_fit_ends_in_dots_inside_the_strip() -> None:
    shown = with_caption(Panel(noise(300, 20), "wide " * 40, "0 " * 300, 1))
    assert (shown[36:, -8:] == 255).all()


def test_a_sheet_shows_every_panel_in_reading_order() -> None:
    colours = [(shade, 0, 0) for shade in range(100, 240, 20)]
    panels = [Panel(np.full((200, 300, 3), colour, np.uint8), "label", "", 1) for colour in colours]
    sheet = contact_sheet(panels)
    assert 0.5 < sheet.shape[1] / sheet.shape[0] < 2
    places = [tuple(np.argwhere((sheet == colour).all(axis=-1))[0]) for colour in colours]
    assert places == sorted(places)
    assert len({row for row, _ in places}) > 1


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(GeometryError, match="at least one picture"):
        contact_sheet([])
