"""Lines are found in a map of chances, at any angle, in reading order, and cut out level."""

from __future__ import annotations

import numpy as np
import pytest

from vision.readers.lines import cut_line, find_lines

cv2 = pytest.importorskip("cv2")


def _map(*bars: tuple[tuple[int, int], tuple[int, int], float], size_hw: tuple[int, int] = (160, 320)) -> np.ndarray:
    chances = np.zeros(size_hw, np.float32)
    for middle, sides, angle in bars:
        corners = cv2.boxPoints((middle, sides, angle))
        cv2.fillPoly(chances, [np.round(corners).astype(np.int32)], 0.9)
    return chances


def test_a_bar_grows_to_the_line_whose_core_it_is_on_the_scale_of_the_picture() -> None:
    (place,) = find_lines(_map(((160, 80), (100, 10), 0)), 640, 320)
    (left, top), (right, bottom) = place.corners.min(axis=0), place.corners.max(axis=0)
    grown = 2 * 100 * 10 * 1.6 / (2 * 110)
    assert right - left == pytest.approx(2 * (101 + grown), abs=8)
    assert bottom - top == pytest.approx(2 * (11 + grown), abs=8)
    assert place.sure > 0.8


def test_the_corners_of_a_slanted_line_go_round_from_where_its_writing_begins() -> None:
    (place,) = find_lines(_map(((160, 80), (120, 12), 20)), 320, 160)
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = place.corners.tolist()
    assert ax < bx
    assert dx < cx
    assert ay < dy
    assert by < cy
    assert np.degrees(np.arctan2(by - ay, bx - ax)) == pytest.approx(20, abs=2)


def test_rows_are_read_from_the_top_and_within_a_row_from_the_left() -> None:
    chances = _map(((250, 31), (60, 8), 0), ((60, 30), (60, 8), 0), ((150, 90), (60, 8), 0))
    middles = [place.corners.mean(axis=0).round().tolist() for place in find_lines(chances, 320, 160)]
    assert [round(x / 50) for x, _ in middles] == [1, 5, 3]


@pytest.mark.parametrize(
    "chances",
    [np.zeros((64, 64), np.float32), _map(((30, 30), (40, 1), 0)), _map(((30, 30), (40, 10), 0)) * 0.4],
    ids=["nothing", "a hair", "doubt"],
)
def test_what_is_no_line_is_none(chances: np.ndarray) -> None:
    assert find_lines(chances.astype(np.float32), 64, 64) == []


def test_lines_do_not_leave_the_picture() -> None:
    for place in find_lines(_map(((20, 5), (60, 8), 0), ((300, 155), (60, 8), 10)), 320, 160):
        assert (place.corners >= 0).all()
        assert (place.corners <= [320, 160]).all()


def test_a_slanted_line_is_cut_out_level_and_a_tall_one_lies() -> None:
    picture = np.zeros((160, 320, 3), np.uint8)
    corners = cv2.boxPoints(((160, 80), (100, 20), 30))
    cv2.fillPoly(picture, [np.round(corners).astype(np.int32)], (255, 255, 255))
    (place,) = find_lines(_map(((160, 80), (90, 12), 30)), 320, 160)
    line = cut_line(picture, place.corners)
    middle = line[line.shape[0] // 2, :, 0]
    assert line.shape[1] > 3 * line.shape[0]
    assert (middle[5:-5] > 128).mean() > 0.8
    tall = cut_line(picture, np.array([[10, 10], [20, 10], [20, 110], [10, 110]], np.float32))
    assert tall.shape[:2] == (10, 100)
