"""Annotation files: what is read, and what is said about those that cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.annotations.reading import read_annotations
from search.errors import ImportFormatError
from vision.types import Span

IMAGES = [{"id": 7, "file_name": "a.jpg", "width": 200, "height": 100}]


def written(tmp_path: Path, content: Any, name: str = "file.json") -> Path:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_coco_captions_are_read_with_their_white_space_folded(tmp_path: Path) -> None:
    document = {"images": IMAGES, "annotations": [{"image_id": 7, "caption": "  Two\n dogs. "}]}
    found = read_annotations(written(tmp_path, document))
    assert [caption.text for caption in found.pictures["a.jpg"].captions] == ["Two dogs."]
    assert found.pictures["a.jpg"].size_wh == (200, 100)


def test_coco_instances_become_normalised_boxes_named_by_category(tmp_path: Path) -> None:
    document = {
        "images": IMAGES,
        "categories": [{"id": 3, "name": "dog"}],
        "annotations": [{"image_id": 7, "category_id": 3, "bbox": [20, 10, 100, 50]}],
    }
    (region,) = read_annotations(written(tmp_path, document)).pictures["a.jpg"].loose
    assert region.phrase == "dog"
    assert region.box.as_xyxy() == pytest.approx((0.1, 0.1, 0.6, 0.6))


def test_grounding_pairs_gather_under_their_caption(tmp_path: Path) -> None:
    pair = {"file": "a.jpg", "caption": "A dog and a cat", "width": 200, "height": 100}
    pairs = [
        {**pair, "phrase": "A dog", "span": [0, 5], "bbox": [0, 0, 100, 100]},
        {**pair, "phrase": "a cat", "span": [10, 15], "bbox": [100, 0, 100, 100]},
    ]
    (caption,) = read_annotations(written(tmp_path, pairs)).pictures["a.jpg"].captions
    assert [(region.phrase, region.span) for region in caption.regions] == [
        ("A dog", Span(0, 5)),
        ("a cat", Span(10, 15)),
    ]


@pytest.mark.parametrize(
    ("caption", "span"),
    [("A dog", [2, 5]), ("A  dog", [3, 6]), ("  A\n dog ", [5, 8]), ("A dog ", [2, 6]), ("A  dog", [2, 6])],
)
def test_spans_follow_when_white_space_is_folded(tmp_path: Path, caption: str, span: list[int]) -> None:
    found = read_annotations(written(tmp_path, [{**PAIR, "caption": caption, "span": span}]))
    (read,) = found.pictures["a.jpg"].captions
    assert (read.text, read.regions[0].span) == ("A dog", Span(2, 5))


def test_json_lines_carry_languages_spans_several_boxes_and_scores(tmp_path: Path) -> None:
    line = {
        "file": "a.jpg",
        "width": 200,
        "height": 100,
        "captions": [
            {
                "text": "Zwei Hunde",
                "language": "de",
                "phrases": [{"span": [0, 10], "boxes": [[0, 0, 0.5, 1], [0.5, 0, 1, 1]], "score": 0.9}],
            }
        ],
        "regions": [{"phrase": "Gras", "box": [0, 0.5, 1, 1]}],
    }
    found = read_annotations(written(tmp_path, json.dumps(line) + "\n\n", "a.jsonl"))
    picture = found.pictures["a.jpg"]
    (caption,) = picture.captions
    assert (caption.language, len(caption.regions), caption.regions[1].score) == ("de", 2, 0.9)
    assert picture.loose[0].phrase == "Gras"


PAIR = {
    "file": "a.jpg",
    "caption": "A dog",
    "phrase": "dog",
    "span": [2, 5],
    "bbox": [0, 0, 9, 9],
    "width": 10,
    "height": 10,
}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"images": IMAGES, "annotations": [{"image_id": 8, "caption": "x"}]}, "names image 8"),
        ({"images": IMAGES, "annotations": [{"image_id": 7}]}, "neither a caption nor a bbox"),
        ({"images": IMAGES, "annotations": [{"image_id": 7, "caption": " "}]}, "is empty"),
        ({"images": IMAGES, "annotations": [{"image_id": 7, "caption": 5}]}, "must be a string"),
        ({"images": IMAGES, "annotations": [{"image_id": 7, "caption": "x" * 10_001}]}, "the limit is 10000"),
        ({"images": IMAGES, "annotations": [{"image_id": "7", "caption": "x"}]}, "must be a whole number"),
        ({"images": IMAGES, "annotations": ["x"]}, "must be an object"),
        ({"images": [{"id": 7}], "annotations": []}, "no file_name"),
        ({"images": [{**IMAGES[0], "width": 0}], "annotations": []}, "0×100 px"),
        (
            {"images": IMAGES, "annotations": [{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1]}]},
            "names category 1",
        ),
        (
            {
                "images": IMAGES,
                "categories": [{"id": 1, "name": "dog"}],
                "annotations": [{"image_id": 7, "category_id": 1, "bbox": [300, 0, 10, 10]}],
            },
            "bbox",
        ),
        (
            {
                "images": [{"id": 7, "file_name": "a.jpg"}],
                "categories": [{"id": 1, "name": "dog"}],
                "annotations": [{"image_id": 7, "category_id": 1, "bbox": [0, 0, 10, 10]}],
            },
            "does not say how large",
        ),
        ([{**PAIR, "span": [0, 3]}], "span covers 'A d'"),
        ([{**PAIR, "span": [2, 9]}], "outside the caption"),
        ([{**PAIR, "bbox": [0, 0, 0, 9]}], "bbox"),
        ([{**PAIR, "bbox": [0, 0, "9", 9]}], "must be 4 numbers"),
        ([{**PAIR, "caption": "A   dog", "span": [1, 3]}], "white space only"),
        ([PAIR, 17], "must be an object"),
    ],
)
def test_a_wrong_record_is_skipped_with_its_reason(tmp_path: Path, document: Any, message: str) -> None:
    (record,) = read_annotations(written(tmp_path, document)).skipped
    assert record.code == "malformed"
    assert message in record.reason
    assert "file.json" in record.where


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "must be an object"),
        ('{"captions": []}', "no file"),
        ('{"file": "a.jpg", "captions": {}}', "must be an array"),
        ('{"file": "a.jpg", "captions": [{"text": "x", "language": ""}]}', "BCP 47"),
        ('{"file": "a.jpg", "regions": [{"phrase": "x", "box": [0, 0, 2, 1]}]}', "must lie in [0, 1]"),
        ('{"file": "a.jpg", "regions": [{"phrase": "x", "box": [1, 0, 0, 1]}]}', "x0 < x1"),
        ('{"file": "a.jpg", "regions": [{"phrase": "x", "box": [0, 0, NaN, 1]}]}', "must lie in [0, 1]"),
        ('{"file": "a.jpg", "regions": [{"phrase": "x", "box": [0, 0, 1, 1], "score": 2}]}', "score"),
        ('{"file": "a.jpg", "captions": [{"text": "\\ud800"}]}', "not valid Unicode"),
    ],
)
def test_a_wrong_line_is_skipped_whole_and_the_next_one_is_read(tmp_path: Path, line: str, message: str) -> None:
    path = written(tmp_path, line + '\n{"file": "b.jpg", "captions": [{"text": "fine"}]}\n', "lines.jsonl")
    found = read_annotations(path)
    assert list(found.pictures) == ["b.jpg"]
    (record,) = found.skipped
    assert record.where == "lines.jsonl:1"
    assert message in record.reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "not an annotation file"),
        ("{}", "not an annotation file"),
        ('{"images": 1, "annotations": []}', "must be an array"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_of_no_known_format_is_an_error_that_says_what_is_expected(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(ImportFormatError, match=message):
        read_annotations(written(tmp_path, content))


def test_a_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ImportFormatError, match="not UTF-8"):
        read_annotations(tmp_path / "file.json")
    with pytest.raises(ImportFormatError, match="No such file"):
        read_annotations(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8b\x08 and so on", "compressed with gzip"),
        (b"PK\x03\x04 and so on", "a ZIP archive"),
        ("{}".encode("utf-16"), "UTF-16 text, not UTF-8"),
        (b'{"images": [],\n "annotations": ["caf\xe9"]}', ":2: not UTF-8 text"),
        (b'{"images": [],\n "annotations": [', ":2: not JSON: Expecting value; the file ends there"),
        (b'{"images": [], "annotations": []}\n{"images": []}', ":2: not JSON: Extra data"),
    ],
)
def test_a_damaged_file_says_what_is_wrong_with_it_and_where(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(ImportFormatError, match=message) as caught:
        read_annotations(path)
    assert caught.value.remedy


def test_a_byte_order_mark_and_the_line_ends_of_windows_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"file": "a.png"}\r\n\r\n{"file": "b.png"}\r\n')
    found = read_annotations(path)
    assert (list(found.pictures), found.skipped) == (["a.png", "b.png"], [])


def test_lines_are_read_to_the_end_whatever_is_wrong_with_some(tmp_path: Path) -> None:
    lines = [
        b'{"file": "a.png"}', b'{"file": "caf\xe9.png"}', b"\0\0\0", b"[" * 9999, b"9" * 9999, b"null", b"{",
        b'{"file": "z.png"}', b'{"file": "cut',
    ]  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    found = read_annotations(path)
    assert list(found.pictures) == ["a.png", "z.png"]
    assert [record.where for record in found.skipped] == [f"a.jsonl:{number}" for number in (2, 3, 4, 5, 6, 7, 9)]
    assert {record.code for record in found.skipped} == {"malformed"}


def test_a_category_that_is_wrong_costs_itself_and_what_names_it(tmp_path: Path) -> None:
    document = {
        "images": IMAGES,
        "categories": [{"id": 1, "name": ""}, None, {"id": 3, "name": "dog"}],
        "annotations": [
            {"image_id": 7, "category_id": 1, "bbox": [0, 0, 9, 9]},
            {"image_id": 7, "category_id": 3, "bbox": [0, 0, 9, 9]},
        ],
    }
    found = read_annotations(written(tmp_path, document))
    assert [region.phrase for region in found.pictures["a.jpg"].loose] == ["dog"]
    assert [record.where for record in found.skipped] == [
        "file.json categories[0]", "file.json categories[1]", "file.json annotations[0]"
    ]  # fmt: skip


def test_a_pair_that_is_none_does_not_hide_what_kind_of_file_it_is(tmp_path: Path) -> None:
    found = read_annotations(written(tmp_path, [None, 3, PAIR]))
    assert (list(found.pictures), len(found.skipped)) == (["a.jpg"], 2)
