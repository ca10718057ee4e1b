"""Captions into another language: every region keeps its box, and its phrase the right words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.vision.translation.conftest import Wordbook
from vision.grounding.base import GroundedCaption
from vision.grounding.errors import LanguageError
from vision.translation.m2m100 import M2M100Translator
from vision.translation.realign import translate_captions, translate_texts
from vision.types import Box, Region, Span


def caption(text: str, *phrases: str) -> GroundedCaption:
    """A caption whose n-th phrase has the n-th box of ten."""
    regions = []
    for number, phrase in enumerate(phrases):
        found = re.search(re.escape(phrase), text)
        span = Span(*found.span()) if found and phrase else None
        regions.append(Region(phrase, Box(number / 10, 0.0, (number + 1) / 10, 1.0), span, 0.5 + number / 100))
    return GroundedCaption(text, tuple(regions), 2, "en", -3.0, complete=True)


def told(result: GroundedCaption) -> list[tuple[int, str, bool]]:
    """Each region as the number of its box, its phrase, and whether it has a span."""
    return [(round(region.box.x0 * 10), region.phrase, region.span is not None) for region in result.regions]


@pytest.mark.parametrize(
    ("text", "phrases", "translated", "regions"),
    [
        ("A red dog", ["A red dog"], "ein roter Hund.", [(0, "ein roter Hund.", True)]),
        (
            "A red dog in snow",
            ["A red dog", "snow"],
            "ein roter Hund im Schnee.",
            [(0, "ein roter Hund", True), (1, "Schnee", True)],
        ),
        (
            "A dog is here. A big cat in snow.",
            ["A dog", "A big cat", "snow"],
            "ein Hund ist hier. ein großer Kater im Schnee.",
            [(0, "ein Hund", True), (1, "ein großer Kater", True), (2, "Schnee", True)],
        ),
        # Several boxes of one phrase, and a phrase within a phrase.
        (
            "A red dog in snow",
            ["A red dog", "A red dog", "dog"],
            "ein roter Hund im Schnee.",
            [(0, "ein roter Hund", True), (1, "ein roter Hund", True), (2, "Hund", True)],
        ),
        # Words that the translation lost: translated alone there is nothing either, so the phrase stays as it was.
        ("A zebra. A dog", ["zebra", "A dog"], "ein. ein Hund.", [(1, "ein Hund", True), (0, "zebra", False)]),
        # A whole sentence became nothing: its phrase has no place, and the next keeps its own.
        ("Zebra! A dog", ["Zebra", "A dog"], "ein Hund.", [(1, "ein Hund", True), (0, "Zebra", False)]),
        # A region without words in the caption.
        ("A dog", ["", "A dog"], "ein Hund.", [(1, "ein Hund.", True), (0, "", False)]),
        ("A dog is here", [], "ein Hund ist hier.", []),
    ],
)
def test_every_region_keeps_its_box_and_gets_its_words(
    wordbook: Wordbook,
    text: str,
    phrases: list[str],
    translated: str,
    regions: list[tuple[int, str, bool]],
):
    (result,) = translate_captions(wordbook, [caption(text, *phrases)], target="de")
    assert result.text == translated
    assert told(result) == regions
    for region in result.regions:
        assert region.span is None or region.phrase == result.text[region.span.start : region.span.end]
        assert region.score == pytest.approx(0.5 + region.box.x0 / 10)


def test_a_phrase_that_does_not_align_is_looked_for_by_its_own_translation(wordbook: Wordbook):
    class Unaligned(Wordbook):
        def align(self, texts, translations, *, source, target):  # type: ignore[no-untyped-def]  # as the parent's
            aligned = super().align(texts, translations, source=source, target=target)
            return [replace(one, weights=0 * one.weights) for one in aligned]

    (result,) = translate_captions(
        Unaligned(wordbook.pairs), [caption("A red dog in snow", "red dog", "snow")], target="de"
    )
    assert told(result) == [(0, "roter Hund", True), (1, "Schnee", True)]


def test_captions_are_translated_together_and_told_in_order(wordbook: Wordbook):
    texts = ["A dog. A cat.", "", "A tree"]
    results = translate_captions(wordbook, [caption(text) for text in texts], target="de")
    assert [one.text for one in results] == ["ein Hund. ein Kater.", "", "ein Baum."]
    assert wordbook.asked == ["A dog.", "A cat.", "A tree"]
    assert [one.language for one in results] == ["de"] * 3
    assert [one.log_probability for one in results] == [-5.0, -3.0, -4.0]
    assert translate_captions(wordbook, [], target="de") == []


def test_what_was_cut_before_or_while_translating_is_not_complete(wordbook: Wordbook):
    (result,) = translate_captions(wordbook, [replace(caption("A dog"), complete=False)], target="de")
    assert not result.complete
    assert result.dropped_boxes == 2


def test_texts_of_several_sentences_are_translated_as_one(wordbook: Wordbook):
    results = translate_texts(wordbook, ["A dog. A cat.", " "], source="en", target="de")
    assert [(one.text, one.log_probability) for one in results] == [("ein Hund. ein Kater.", -2.0), ("", 0)]


def test_nothing_is_lost_with_a_model_that_writes_nonsense(translator: M2M100Translator):
    captions = [
        caption("A red dog sits left of a tree. Two small boats!", "A red dog", "a tree", "Two small boats"),
        caption("A lighthouse", "A lighthouse", "lighthouse", "lighthouse"),
        caption("in the snow", ""),
        # Longer than this model reads at once.
        caption("a red dog " * 12, "red dog"),
    ]
    for target in ("de", "zh", "ja"):
        for before, after in zip(captions, translate_captions(translator, captions, target=target), strict=True):
            assert sorted(region.box.x0 for region in after.regions) == [region.box.x0 for region in before.regions]
            starts = [region.span.start for region in after.regions if region.span is not None]
            assert starts == sorted(starts)
            for region in after.regions:
                assert region.span is None or region.phrase == after.text[region.span.start : region.span.end]


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("A dog", "tlh", "'tlh'"),
        ("A dog", "en", "needs no translation"),
        ("", "tlh", "'tlh'"),
    ],
)
def test_a_language_that_cannot_be_served_is_refused(
    translator: M2M100Translator, text: str, target: str, message: str
):
    with pytest.raises(LanguageError, match=message):
        translate_captions(translator, [caption(text)], target=target)
