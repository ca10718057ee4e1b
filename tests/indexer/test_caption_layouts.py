"""Karpathy's splits and Crossmodal-3600, as people have them on disk, and what is wrong with some records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.annotations.reading import read_annotations
from search.errors import ImportFormatError


def karpathy(tmp_path: Path, *images: Any) -> Path:
    path = tmp_path / "dataset_coco.json"
    path.write_text(json.dumps({"dataset": "coco", "images": images}))
    return path


def picture(name: str, split: str, *sentences: Any) -> dict[str, Any]:
    return {"filename": name, "filepath": "val2014", "split": split, "sentences": [{"raw": one} for one in sentences]}


def test_one_split_is_read_and_no_other(tmp_path: Path) -> None:
    path = karpathy(tmp_path, picture("a.jpg", "test", "A dog.", "One dog."), picture("b.jpg", "train", "A cat."))
    found = read_annotations(path, "test")
    assert [caption.text for caption in found.pictures["a.jpg"].captions] == ["A dog.", "One dog."]
    assert list(found.pictures) == ["a.jpg"]
    assert set(read_annotations(path).pictures) == {"a.jpg", "b.jpg"}


def test_a_split_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ImportFormatError, match="no split") as refused:
        read_annotations(karpathy(tmp_path, picture("a.jpg", "val", "A dog.")), "test")
    assert "val" in str(refused.value.remedy)


@pytest.mark.parametrize("name", ["captions.json", "captions.jsonl"])
def test_a_split_of_a_file_without_splits_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"images": [], "annotations": []}')
    with pytest.raises(ImportFormatError, match="has no splits"):
        read_annotations(path, "test")


@pytest.mark.parametrize(
    "bad",
    [7, {"split": "test"}, picture("", "test", "x"), picture("b.jpg", "test", 5), picture("b.jpg", "test", " ")],
)
def test_a_bad_picture_costs_that_picture(tmp_path: Path, bad: Any) -> None:
    found = read_annotations(karpathy(tmp_path, bad, picture("a.jpg", "test", "A dog.")), "test")
    assert list(found.pictures) == ["a.jpg"]
    assert len(found.skipped) == 1


def test_crossmodal_3600_gives_captions_with_their_languages(tmp_path: Path) -> None:
    path = tmp_path / "captions.jsonl"
    line = {
        "image/key": "0002a1",
        "image/locale": "en",
        "en": {"caption": ["A dog."], "caption/tokenized": ["a dog"]},
        "de": {"caption": ["Ein Hund.", "Noch ein Hund."]},
        "fr": {"caption": 7},
    }
    path.write_text(json.dumps(line) + "\n")
    found = read_annotations(path)
    told = [(caption.language, caption.text) for caption in found.pictures["0002a1.jpg"].captions]
    assert told == [("en", "A dog."), ("de", "Ein Hund."), ("de", "Noch ein Hund.")]
    assert len(found.skipped) == 1
