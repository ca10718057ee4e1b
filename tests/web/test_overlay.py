"""How regions become rectangles, labels and marked captions."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

from search.results import CaptionInfo, MatchedRegion, RegionInfo
from vision.types import Box, Span
from web.layout import ASPECT_STEP, aspect_class, percent, stylesheet
from web.overlay import MAX_BOXES, TILE_LABELS, draw, mark_phrases, place_in_words


def region(phrase: str, box: Box, span: Span | None = None) -> RegionInfo:
    return RegionInfo(1, phrase, box, span, None, "import")


def caption(text: str, *regions: RegionInfo) -> CaptionInfo:
    return CaptionInfo(1, text, "import", None, regions)


HALF = Box(0, 0, 0.5, 1)
SPOT = Box(0.6, 0.6, 0.7, 0.7)


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1, 1), (4000, 3), (3, 4000), (1000, 1003)])
def test_an_aspect_class_exists_and_is_within_half_a_percent(size: tuple[int, int]) -> None:
    name = aspect_class(*size)
    found = re.search(rf"^\.{re.escape(name)}\{{--a:([\d.e-]+)\}}$", stylesheet(), re.MULTILINE)
    assert found
    ratio = min(16, max(1 / 16, size[0] / size[1]))
    assert abs(math.log(float(found[1]) / ratio)) <= ASPECT_STEP


@pytest.mark.parametrize(("fraction", "expected"), [(0, 0), (1, 100), (0.004, 0), (0.996, 100), (-1, 0), (2, 100)])
def test_percentages_stay_within_the_classes_that_exist(fraction: float, expected: int) -> None:
    assert percent(fraction) == expected


def test_large_boxes_are_drawn_first_so_that_small_ones_lie_on_top() -> None:
    overlay = draw([region("spot", SPOT), region("half", HALF)], TILE_LABELS)
    assert [box.width for box in overlay.boxes] == ["0.500000", "0.100000"]


def test_equal_phrases_share_a_number_and_a_label() -> None:
    overlay = draw([region("a dog", HALF), region("A dog", SPOT)], TILE_LABELS)
    assert [box.group for box in overlay.boxes] == [0, 0]
    assert [label.phrase for label in overlay.labels] == ["a dog"]


def test_phrases_with_the_same_boxes_are_one_thing_with_several_names() -> None:
    overlay = draw([region("a bear", HALF), region("the brown bear", HALF), region("grass", SPOT)], TILE_LABELS)
    assert [thing.phrases for thing in overlay.things] == [("a bear", "the brown bear"), ("grass",)]
    assert len(overlay.boxes) == 2


def test_a_phrase_of_many_boxes_is_not_swallowed_by_one_of_them() -> None:
    overlay = draw([region("person", HALF), region("person", SPOT), region("a man", SPOT)], TILE_LABELS)
    assert [thing.phrases for thing in overlay.things] == [("person",), ("a man",)]


def test_a_thing_leads_to_its_largest_stored_box() -> None:
    derived = MatchedRegion(None, "a dog", Box(0, 0, 1, 1), 0.5, "patches")
    small, large = (replace(region("a dog", box), region_id=number) for number, box in ((7, SPOT), (8, HALF)))
    assert [thing.region_id for thing in draw([derived, small, large], TILE_LABELS).things] == [8]
    assert [thing.region_id for thing in draw([derived], TILE_LABELS).things] == [None]


def test_labels_on_one_edge_do_not_cover_each_other() -> None:
    overlay = draw([region("one", Box(0.1, 0.3, 0.5, 0.8)), region("two", Box(0.1, 0.31, 0.5, 0.9))], TILE_LABELS)
    first, second = (label.place for label in overlay.labels)
    assert first.split()[1] != second.split()[1]


@pytest.mark.parametrize("box", [Box(0, 0, 1, 1), Box(0, 0, 0.01, 0.01), Box(0.99, 0.99, 1, 1), Box(0.9, 0, 1, 1)])
def test_a_label_is_placed_wherever_the_box_lies(box: Box) -> None:
    (label,) = draw([region("thing", box)], TILE_LABELS).labels
    assert re.fullmatch(r"[lr]\d{1,3} [tb]\d{1,3}", label.place)
    assert all(f".{name}{{" in stylesheet() for name in label.place.split())


def test_a_picture_with_very_many_boxes_shows_the_largest() -> None:
    boxes = [Box(0, 0, (n + 1) / 1000, 1) for n in range(1000)]
    overlay = draw([region(f"thing {n}", box) for n, box in enumerate(boxes)], TILE_LABELS)
    assert len(overlay.boxes) == MAX_BOXES
    assert overlay.boxes[0].width == "1.000000"


@pytest.mark.parametrize(
    ("text", "spans", "marked"),
    [
        ("a dog and a cat", [(0, 5), (10, 15)], ["a dog", "a cat"]),
        ("a dog and a cat", [(10, 15), (0, 5)], ["a dog", "a cat"]),
        ("a dog", [(0, 5), (0, 5)], ["a dog"]),
        ("a big dog", [(0, 9), (2, 9)], ["a big dog"]),
        ("a dog", [(2, 99)], []),
        ("a dog", [], []),
        ("犬と猫", [(0, 1), (2, 3)], ["犬", "猫"]),
    ],
)
def test_captions_are_cut_at_the_spans_of_their_phrases(
    text: str, spans: list[tuple[int, int]], marked: list[str]
) -> None:
    regions = [region(text[start:end] or "x", SPOT, Span(start, end)) for start, end in spans]
    pieces = mark_phrases(caption(text, *regions), draw(regions, TILE_LABELS).things)
    assert "".join(piece.text for piece in pieces) == text
    assert [piece.text for piece in pieces if piece.group is not None] == marked


@pytest.mark.parametrize(
    ("box", "words"),
    [
        (Box(0, 0, 1, 1), "centre, 100 %"),
        (Box(0, 0, 0.2, 0.2), "top left, 4 %"),
        (Box(0.9, 0.9, 1, 1), "bottom right, 1 %"),
        (Box(0.4, 0.9, 0.41, 0.91), "bottom centre, under 1 %"),
    ],
)
def test_a_place_is_said_in_words(box: Box, words: str) -> None:
    assert place_in_words(box) == words
