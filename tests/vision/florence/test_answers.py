"""Answers of every form, well-formed and hostile, read as phrases and boxes; and phrases found in their caption."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from vision.florence.answers import Located, Reading, read_answer, regions_in
from vision.florence.captioner import Florence2Captioner
from vision.florence.vocabulary import Vocabulary
from vision.types import Box, Span

_BOX = Box(0.1005, 0.2005, 0.3005, 0.4005)
_OTHER = Box(0.5005, 0.5005, 0.9995, 0.9995)
_LOCS, _MORE = "<loc_100><loc_200><loc_300><loc_400>", "<loc_500><loc_500><loc_999><loc_999>"


@pytest.fixture(scope="module")
def vocabulary(florence: Florence2Captioner) -> Vocabulary:
    return florence._engine.vocabulary


def _read(vocabulary: Vocabulary, written: str) -> Reading:
    tokens = vocabulary.ids(written)
    return read_answer(vocabulary, tokens, [-0.5] * len(tokens), nameless=["it"])


@pytest.mark.parametrize(
    ("written", "text", "boxes", "dropped"),
    [
        ("", "", [], 0),
        ("</s>", "", [], 0),
        ("a dog", "a dog", [], 0),
        (f"a dog{_LOCS}</s>", "a dog", [("a dog", _BOX)], 0),
        (f"wheel{_LOCS}{_MORE}</s>", "wheel", [("wheel", _BOX), ("wheel", _OTHER)], 0),
        (f"wheel{_LOCS}wheel{_MORE}</s>", "wheelwheel", [("wheel", _BOX), ("wheel", _OTHER)], 0),
        (f"car{_LOCS} door handle{_MORE}", "car door handle", [("car", _BOX), ("door handle", _OTHER)], 0),
        (f"  two\n blanks {_LOCS}", "two blanks", [("two blanks", _BOX)], 0),
        (f"été 犬{_LOCS}", "été 犬", [("été 犬", _BOX)], 0),
        # Boxes that are none.
        ("a dog<loc_300><loc_200><loc_100><loc_400>", "a dog", [], 1),
        ("a dog<loc_100><loc_400><loc_300><loc_200>", "a dog", [], 1),
        ("a dog<loc_100><loc_200><loc_100><loc_400>", "a dog", [], 1),
        ("a dog<loc_5><loc_5><loc_5><loc_5>", "a dog", [], 1),
        (f"a dog<loc_300><loc_200><loc_100><loc_400>{_LOCS}", "a dog", [("a dog", _BOX)], 1),
        # Halves.
        ("a dog<loc_100>", "a dog", [], 1),
        ("a dog<loc_100><loc_200><loc_300></s>", "a dog", [], 1),
        (f"a dog{_LOCS}<loc_1><loc_2>", "a dog", [("a dog", _BOX)], 1),
        (f"a dog<loc_1><loc_2> a hat{_LOCS}", "a dog a hat", [("a hat", _BOX)], 1),
        # Behind no phrase, or behind none that names a thing.
        (_LOCS, "", [], 1),
        (f" {_LOCS}", "", [], 1),
        (f"{_LOCS}{_MORE}a dog", "a dog", [], 2),
        (f"it{_LOCS}a dog{_MORE}", "ita dog", [("a dog", _OTHER)], 1),
        # The same again.
        (f"a dog{_LOCS}{_LOCS}", "a dog", [("a dog", _BOX)], 1),
        (f"a dog{_LOCS}a dog{_LOCS}", "a doga dog", [("a dog", _BOX)], 1),
        # Tags end a phrase.
        (f"a dog<poly>{_LOCS}</poly>", "a dog", [], 1),
        (f"a dog<od>hat{_LOCS}", "a doghat", [("hat", _BOX)], 0),
        (f"<s>a dog{_LOCS}<pad><pad>", "a dog", [("a dog", _BOX)], 0),
        # What only looks like a tag is words.
        (f"<loc_1000> <br>{_LOCS}", "<loc_1000> <br>", [("<loc_1000> <br>", _BOX)], 0),
        (f"\x00a\x07dog\x1f{_LOCS}", "a dog", [("a dog", _BOX)], 0),
    ],
)
def test_any_answer_is_read(
    vocabulary: Vocabulary, written: str, text: str, boxes: list[tuple[str, Box]], dropped: int
):
    reading = _read(vocabulary, written)
    assert reading.text == text
    assert [one.phrase for one in reading.located] == [phrase for phrase, _ in boxes]
    for one, (_, box) in zip(reading.located, boxes, strict=True):
        assert one.box.as_xyxy() == pytest.approx(box.as_xyxy())
    assert reading.dropped_boxes == dropped


def test_a_score_is_the_mean_of_words_and_places_without_what_was_given(vocabulary: Vocabulary):
    tokens = vocabulary.ids(f"dog{_LOCS}")
    words = len(tokens) - 4
    chances = [-1.0] * words + [-2.0] * 4
    (chosen,) = read_answer(vocabulary, tokens, chances).located
    assert chosen.score == pytest.approx(math.exp(-(words + 8) / (words + 4)))
    (given,) = read_answer(vocabulary, tokens, chances, given=words).located
    assert given.score == pytest.approx(math.exp(-2))


def test_ids_beyond_the_tokenizer_write_nothing(vocabulary: Vocabulary):
    assert read_answer(vocabulary, [vocabulary.size + 3], [-1.0]).text == ""


@pytest.mark.parametrize(
    ("caption", "phrases", "spans"),
    [
        ("A dog and a hat", ["A dog", "a hat"], [(0, 5), (10, 15)]),
        ("a dog, a dog", ["a dog", "a hat", "a dog"], [(0, 5), None, (7, 12)]),
        ("A Dog", ["a dog"], [(0, 5)]),
        ("a dog and a hat", ["a hat", "a dog"], [(10, 15), (0, 5)]),
        ("the carpet and the car", ["the car"], [(15, 22)]),
        ("cats", ["cat"], [None]),
        ("what (really) is.", ["(really)"], [(5, 13)]),
        ("two  words", ["two words"], [(0, 10)]),
        ("one wheel", ["wheel", "hat", "wheel"], [(4, 9), None, (4, 9)]),
        ("", ["dog"], [None]),
        ("一只红色的狗", ["狗"], [None]),
    ],
)
def test_phrases_are_found_in_their_caption(caption: str, phrases: list[str], spans: list[tuple[int, int] | None]):
    regions = regions_in(caption, [Located(phrase, _BOX, 0.5) for phrase in phrases])
    expected = [Span(*span) if span else None for span in spans]
    assert sorted(map(str, (region.span for region in regions))) == sorted(map(str, expected))
    for region in regions:
        if region.span is not None:
            assert caption[region.span.start : region.span.end] == region.phrase
    starts = [region.span.start for region in regions if region.span]
    assert starts == sorted(starts), "regions stand in the order of the text"


def test_boxes_of_one_phrase_share_its_words():
    regions = regions_in("a dog, a dog", [Located("a dog", _BOX, 0.5), Located("a dog", _OTHER, 0.4)])
    assert [region.span for region in regions] == [Span(0, 5), Span(0, 5)]


def test_the_vocabulary_knows_its_places(vocabulary: Vocabulary, florence_folder: Path):
    assert [vocabulary.is_location(token) for token in vocabulary.ids("<loc_0><loc_999>x<image>")] == [
        *(True, True, False, False)
    ]
    assert vocabulary.words_of("a</s>b<loc_5>c") == (*vocabulary.ids("a"), *vocabulary.ids("b"), *vocabulary.ids("c"))
