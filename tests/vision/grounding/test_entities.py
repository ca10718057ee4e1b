"""Whatever a model writes becomes a clean text, true spans and real boxes, or is dropped and counted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.grounding.entities import Piece, pieces_of, read_entities
from vision.grounding.prompts import TAGS

_A, _B = "<patch_index_0033>", "<patch_index_0330>"
_BOX = f"<object>{_A}{_B}</object>"
_INVERTED = f"<object>{_B}{_A}</object>"


def _read(text: str):
    return read_entities(pieces_of(text))


def test_the_documented_example_reads_as_its_authors_read_it():
    reading = _read(
        "<grounding> An image of<phrase> a snowman</phrase><object><patch_index_0044><patch_index_0863></object>"
        " warming himself by<phrase> a fire</phrase><object><patch_index_0005><patch_index_0911></object>."
    )
    assert reading.text == "An image of a snowman warming himself by a fire."
    assert [(region.phrase, region.span.start, region.span.end) for region in reading.regions] == [
        ("a snowman", 12, 21),
        ("a fire", 41, 47),
    ]
    assert reading.regions[0].box.as_xyxy() == (0.390625, 0.046875, 0.984375, 0.828125)
    assert reading.regions[1].box.as_xyxy() == (0.171875, 0.015625, 0.484375, 0.890625)
    assert reading.dropped_boxes == 0


@pytest.mark.parametrize(
    ("written", "text", "regions", "dropped"),
    [
        ("", "", 0, 0),
        ("plain words", "plain words", 0, 0),
        (f"<phrase> a dog</phrase>{_BOX}", "a dog", 1, 0),
        (
            f"<phrase> two dogs</phrase><object>{_A}{_B}</delimiter_of_multi_objects/>{_A}{_A}</object>",
            "two dogs",
            2,
            0,
        ),
        (f"<phrase> a dog</phrase>{_INVERTED}", "a dog", 0, 1),
        (f"<phrase> a dog</phrase><object>{_A}</object>", "a dog", 0, 1),
        (f"<phrase> a dog</phrase><object>{_A}", "a dog", 0, 1),
        (f"<phrase> a dog</phrase><object>{_A}{_B}", "a dog", 1, 0),
        (f"<phrase> a dog</phrase><object>{_A}{_B}{_A}</object>", "a dog", 1, 1),
        ("<phrase> a dog</phrase><object></object> runs", "a dog runs", 0, 0),
        (f"<phrase> a dog{_BOX}", "a dog", 0, 1),
        (f"a dog{_BOX}", "a dog", 0, 1),
        (f"{_A}{_B}", "", 0, 1),
        (f"<phrase> </phrase>{_BOX}", "", 0, 1),
        (f"<phrase></phrase>{_BOX}", "", 0, 1),
        (f"<phrase> a dog</phrase> runs{_BOX}", "a dog runs", 0, 1),
        (f"<phrase> a <phrase> dog</phrase>{_BOX}", "a dog", 1, 0),
        (f"<phrase> a dog</phrase></phrase>{_BOX}", "a dog", 0, 1),
        (f"<phrase> a dog</phrase>{_BOX}{_BOX}", "a dog", 1, 1),
        (f"<phrase> a dog</phrase><object>{_A} runs {_B}</object>", "a dog runs", 0, 2),
        ("a < b > c <br> 1<2", "a < b > c <br> 1<2", 0, 0),
        ("<script>alert(1)</script>", "<script>alert(1)</script>", 0, 0),
        ("<patch_index_99999> <patch_index_2>", "<patch_index_99999> <patch_index_2>", 0, 0),
        (f"<phrase> a dog</phrase><object><patch_index_1024>{_B}</object>", "a dog", 0, 1),
        (f"<phrase> a dog</phrase><object>{_A}<patch_index_9999></object>", "a dog", 0, 1),
        ("<phrase>" * 50 + "x" + "</phrase>" * 50, "x", 0, 0),
        ("</object></phrase></delimiter_of_multi_objects/><object><object>", "", 0, 0),
        ("bell\x07 and\x00 null\r\nline", "bell and null line", 0, 0),
    ],
)
def test_hostile_output_loses_no_words_and_yields_only_real_boxes(written: str, text: str, regions: int, dropped: int):
    reading = _read(written)
    assert (reading.text, len(reading.regions), reading.dropped_boxes) == (text, regions, dropped)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (f"<phrase> a dog</phrase>{_BOX} .", "a dog."),
        (f"<phrase> a dog</phrase>{_BOX} , and", "a dog, and"),
        (f"près d'<phrase> un arbre</phrase>{_BOX} .", "près d'un arbre."),
        (f"the dogs'<phrase> ball</phrase>{_BOX}", "the dogs' ball"),
        (f"¿<phrase> el perro</phrase>{_BOX} ?", "¿el perro?"),
        (f"<phrase> 红色的狗</phrase>{_BOX} 在<phrase> 海滩</phrase>{_BOX} 。", "红色的狗在海滩。"),
        ("Décris : deux mots", "Décris : deux mots"),
        (f"(<phrase> a dog</phrase>{_BOX} )", "(a dog)"),
    ],
)
def test_a_blank_that_only_a_tag_brought_is_left_out(written: str, text: str):
    assert _read(written).text == text


def test_confidence_is_the_geometric_mean_over_the_phrase_and_its_corners():
    pieces = [
        Piece("<phrase>", tag=True, log_probability=-9.0),
        Piece(" a", log_probability=-0.5),
        Piece(" dog", log_probability=-1.5),
        Piece("</phrase>", tag=True, log_probability=-9.0),
        Piece("<object>", tag=True, log_probability=-9.0),
        Piece("", location=0, log_probability=-1.0),
        Piece("", location=40, log_probability=-3.0),
        Piece("</object>", tag=True, log_probability=-9.0),
    ]
    (region,) = read_entities(pieces).regions
    assert region.score == pytest.approx(math.exp(-6.0 / 4))


def test_a_phrase_that_was_given_leaves_the_confidence_to_the_corners():
    given_phrase = [Piece("<phrase>", tag=True), Piece(" a dog"), Piece("</phrase>", tag=True)]
    corners = [Piece("", location=0, log_probability=-1.0), Piece("", location=40, log_probability=-3.0)]
    (region,) = read_entities([*given_phrase, Piece("<object>", tag=True), *corners]).regions
    assert region.score == pytest.approx(math.exp(-2.0))


def test_nothing_known_is_no_confidence():
    (region,) = _read(f"<phrase> a dog</phrase>{_BOX}").regions
    assert region.score is None


def test_each_piece_knows_the_characters_that_it_wrote():
    pieces = [Piece("▁".replace("▁", " ")), Piece("s"), Piece("now"), Piece("<phrase>", tag=True), Piece(" man")]
    reading = read_entities(pieces)
    assert reading.text == "snow man"
    assert [None if span is None else reading.text[span.start : span.end] for span in reading.spans] == [
        None,
        "s",
        "now",
        None,
        "man",
    ]


_PARTS = st.one_of(
    st.sampled_from(TAGS),
    st.integers(0, 1100).map(lambda number: f"<patch_index_{number:04d}>"),
    st.sampled_from([" a dog", "dog", " ", ".", "狗", "<", "'"]),
    st.text(max_size=5),
)


@given(st.lists(_PARTS, max_size=40).map("".join))
def test_any_writing_at_all_gives_true_spans_and_clean_text(written: str):
    reading = _read(written)
    assert reading.text == " ".join(reading.text.split())
    assert not any(tag in reading.text for tag in TAGS) or any("<" in part for part in pieces_text(written))
    for region in reading.regions:
        assert region.span is not None
        assert reading.text[region.span.start : region.span.end] == region.phrase
        assert region.phrase == region.phrase.strip() != ""
    assert 2 * (len(reading.regions) + reading.dropped_boxes) >= sum(p.location is not None for p in pieces_of(written))


def pieces_text(written: str) -> list[str]:
    return [piece.text for piece in pieces_of(written) if not piece.tag]


@given(st.lists(_PARTS, max_size=40).map("".join))
def test_no_word_is_lost(written: str):
    def letters(text: str) -> str:
        return "".join(letter for letter in text if letter.isalnum())

    assert letters(_read(written).text) == letters("".join(pieces_text(written)))
