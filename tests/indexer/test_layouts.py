"""Evaluation sets as people have them on disk, and what is wrong with some of their records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.layouts.eccv_caption import read_numbered, read_positives
from indexer.layouts.sugarcrepe import read_pairs
from search.errors import ImportFormatError

PAIR = {"filename": "a.jpg", "caption": "A dog on a mat.", "negative_caption": "A mat on a dog."}


def written(tmp_path: Path, name: str, document: Any) -> Path:
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_sugarcrepe_is_read_by_category(tmp_path: Path) -> None:
    paths = [written(tmp_path, "swap_obj.json", {"0": PAIR}), written(tmp_path, "add_att.json", [PAIR, PAIR])]
    found = read_pairs(paths)
    assert [pair.category for pair in found.pairs] == ["swap_obj", "add_att", "add_att"]
    assert (found.pairs[0].file, found.pairs[0].negative) == ("a.jpg", "A mat on a dog.")
    assert found.skipped == []


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        "a pair",
        {},
        [],
        PAIR | {"filename": 5},
        PAIR | {"filename": ""},
        PAIR | {"filename": "a" * 10_000},
        PAIR | {"caption": None},
        PAIR | {"caption": " "},
        PAIR | {"negative_caption": ["x"]},
        PAIR | {"negative_caption": "x" * 20_000},
        PAIR | {"caption": "\ud800"},
    ],
)
def test_a_bad_pair_costs_that_pair_and_is_named(bad: Any, tmp_path: Path) -> None:
    found = read_pairs([written(tmp_path, "swap_obj.json", {"0": bad, "1": PAIR})])
    assert len(found.pairs) == 1
    assert [(one.where, one.code) for one in found.skipped] == [("swap_obj.json '0'", "malformed")]


@pytest.mark.parametrize("document", ["", "{", "[1", "3", '"x"', "null", "{}", "[]", {"0": 3}, "\x1f\x8b"])
def test_a_file_without_a_pair_is_refused_with_a_remedy(document: Any, tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match=r"swap_obj\.json") as refused:
        read_pairs([written(tmp_path, "swap_obj.json", document)])
    assert refused.value.remedy or "must be an object" in str(refused.value)


COCO = {
    "images": [{"id": 5, "file_name": "a.jpg"}, {"id": 6, "file_name": "b.jpg"}],
    "annotations": [{"id": 1, "image_id": 5, "caption": "A dog."}, {"id": 2, "image_id": 6, "caption": "A  cat."}],
}
KARPATHY = {
    "images": [
        {"cocoid": 5, "filename": "a.jpg", "split": "test", "sentences": [{"sentid": 1, "raw": "A dog."}]},
        {"cocoid": 6, "filename": "b.jpg", "split": "val", "sentences": [{"sentid": 2, "raw": "A  cat."}]},
    ]
}


@pytest.mark.parametrize("document", [COCO, KARPATHY])
def test_captions_keep_the_ids_that_coco_gave_them(document: Any, tmp_path: Path) -> None:
    found = read_numbered(written(tmp_path, "captions.json", document))
    assert found.files == {5: "a.jpg", 6: "b.jpg"}
    assert found.captions == {1: (5, "A dog."), 2: (6, "A cat.")}


def test_one_split_is_read_and_no_other(tmp_path: Path) -> None:
    found = read_numbered(written(tmp_path, "captions.json", KARPATHY), "test")
    assert list(found.captions) == [1]


@pytest.mark.parametrize(
    "bad", [3, {"id": 1}, {"id": "1", "image_id": 5, "caption": "x"}, {"id": 1, "image_id": 5, "caption": 3}]
)
def test_a_bad_caption_costs_that_caption(bad: Any, tmp_path: Path) -> None:
    document = COCO | {"annotations": [bad, COCO["annotations"][1]]}
    found = read_numbered(written(tmp_path, "captions.json", document))
    assert list(found.captions) == [2]
    assert [one.where for one in found.skipped] == ["captions.json annotations[0]"]


@pytest.mark.parametrize("document", [3, [], {}, {"images": 3}, COCO | {"annotations": []}, COCO | {"images": None}])
def test_a_file_without_ids_is_refused(document: Any, tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError):
        read_numbered(written(tmp_path, "captions.json", document))


def test_positives_are_told_apart_by_the_names_of_their_files(tmp_path: Path) -> None:
    paths = [
        written(tmp_path, "eccv_caption_to_image.json", {"1": [5, 6], "2": ["6"]}),
        written(tmp_path, "eccv_image_to_caption.json", {"5": [1, 1]}),
    ]
    found = read_positives(paths)
    assert found.images == {1: {5, 6}, 2: {6}}
    assert found.captions == {5: {1}}


@pytest.mark.parametrize(
    ("key", "ids"), [("x", [1]), ("²", [1]), ("9" * 30, [1]), ("1", 5), ("1", [None]), ("1", [1.5])]
)
def test_a_bad_entry_costs_that_entry(key: str, ids: Any, tmp_path: Path) -> None:
    found = read_positives([written(tmp_path, "x_image_to_caption.json", {key: ids, "7": [1]})])
    assert found.captions == {7: {1}}
    assert len(found.skipped) == 1


@pytest.mark.parametrize(
    ("name", "document"),
    [("positives.json", {"1": [5]}), ("x_caption_to_image.json", []), ("x_caption_to_image.json", {"x": 3})],
)
def test_positives_that_lead_nowhere_are_refused(name: str, document: Any, tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError):
        read_positives([written(tmp_path, name, document)])
