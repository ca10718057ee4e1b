"""`deixis eval captions`: what is compared with what, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deixis.cli import run
from indexer.layouts.written_captions import read_written
from search.errors import ImportFormatError

IMAGES = [{"id": number, "file_name": f"{name}.png"} for number, name in enumerate(("red", "green", "blue"), start=1)]
TOLD = [
    {"id": 1, "image_id": 1, "caption": "a red wall in the sun"},
    {"id": 2, "image_id": 1, "caption": "nothing but red"},
    {"id": 3, "image_id": 2, "caption": "a green field without a tree"},
]
WRITTEN = [{"image_id": 1, "caption": "A red wall in the sun."}, {"image_id": 2, "caption": "a green field at night"}]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "references.json").write_text(json.dumps({"images": IMAGES, "annotations": TOLD}))
    (tmp_path / "results.json").write_text(json.dumps(WRITTEN))
    for colour in ("red", "green"):
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{colour}.png")
    return tmp_path


def measured(place: Path, capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> dict[str, Any]:
    line = ["eval", "captions", "--captions", str(place / "references.json"), *arguments, "--json"]
    assert run(line) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_results_are_compared_with_what_people_wrote(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(place, capsys, 0, "--generated", str(place / "results.json"))["figures"]
    assert set(found) == {"bleu_4", "rouge_l", "cider_d"}
    assert {figure["n"] for figure in found.values()} == {2}
    assert 50 < found["rouge_l"]["value"] < 100


def test_an_encoder_that_is_named_looks_at_the_pictures(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "green.png").write_bytes(b"no picture")
    line = ["--generated", str(place / "results.json"), "--pictures", str(place), "--model", "colour"]
    found = measured(place, capsys, 3, *line)
    assert found["figures"]["clip_score"]["n"] == 1
    assert 0 < found["figures"]["clip_score"]["value"] <= 250
    assert [one["where"] for one in found["left_out"]] == ["green.png"]


def test_a_captioner_writes_where_nothing_was_written(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(place, capsys, 0, "--pictures", str(place), "--captioner", "storybook-captioner")
    assert found["captions"] == "storybook-captioner"
    assert found["figures"]["rouge_l"]["n"] == 2


def test_another_captions_file_is_compared_too(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"file": "red.png", "captions": [{"text": "red"}, {"text": "a second"}]},
        {"file": "x.png", "captions": []},
    ]
    (place / "mine.jsonl").write_text("\n".join(map(json.dumps, lines)))
    found = measured(place, capsys, 3, "--generated", str(place / "mine.jsonl"))
    assert found["figures"]["bleu_4"]["n"] == 1
    assert [(one["where"], one["reason"]) for one in found["left_out"]] == [
        ("green.png", "no caption was written about it")
    ]


def test_the_table_says_whose_words_these_are(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--captions", str(place / "references.json"), "--generated", str(place / "results.json")]
    assert run(["eval", "captions", *line]) == 0
    shown = capsys.readouterr().out
    for word in ("BLEU-4", "ROUGE-L", "CIDEr-D", "Penn Treebank"):
        assert word in shown


FILES = {1: "red.png", 2: "green.png"}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        3,
        {},
        {"image_id": 99, "caption": "x"},
        {"image_id": "2", "caption": "x"},
        {"image_id": 2},
        {"image_id": 2, "caption": " "},
        {"image_id": 2, "caption": 5},
        {"image_id": 1, "caption": "again"},
    ],
)
def test_a_bad_result_costs_that_result_and_is_named(bad: Any, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps([WRITTEN[0], bad]))
    found = read_written(tmp_path / "r.json", lambda: FILES)
    assert list(found.by_file) == ["red.png"]
    assert [one.where for one in found.skipped] == ["r.json[1]"]


@pytest.mark.parametrize("text", ["", "[", "[]", "[3]", "3", "null", '{"images": [], "annotations": []}'])
def test_a_file_without_a_caption_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ImportFormatError):
        read_written(tmp_path / "r.json", lambda: FILES)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Give their folder with --pictures"),
        (["--generated", "{results}", "--model", "colour"], "Give their folder with --pictures"),
        (["--generated", "{results}", "--captioner", "kosmos2"], "contradict each other"),
        (["--generated", "{results}", "--pictures", "{place}"], "Name an encoder with --model"),
        (["--generated", "{place}/other.json"], "Both must name the pictures alike"),
    ],
)
def test_what_cannot_be_measured_is_1_with_a_remedy(
    arguments: list[str], told: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"images": [{"id": 1, "file_name": "z.png"}], "annotations": [{"id": 1, "image_id": 1, "caption": "z"}]}
    (place / "other.json").write_text(json.dumps(other))
    filled = [one.format(results=place / "results.json", place=place) for one in arguments]
    assert run(["eval", "captions", "--captions", str(place / "references.json"), *filled]) == 1
    assert told in capsys.readouterr().err


def test_a_picture_outside_of_the_folder_is_not_looked_at(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"images": [*IMAGES, {"id": 9, "file_name": "../red.png"}]}
    (place / "references.json").write_text(
        json.dumps(names | {"annotations": [*TOLD, {"id": 9, "image_id": 9, "caption": "red"}]})
    )
    (place / "results.json").write_text(json.dumps([*WRITTEN, {"image_id": 9, "caption": "red"}]))
    line = ["--generated", str(place / "results.json"), "--pictures", str(place), "--model", "colour"]
    found = measured(place, capsys, 3, *line)
    assert found["figures"]["clip_score"]["n"] == 2
    assert ["leads out of the folder" in one["reason"] for one in found["left_out"]] == [True]
