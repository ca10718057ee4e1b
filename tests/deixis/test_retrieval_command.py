"""`deixis eval retrieval` with the sets of others, and with the search itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deixis.cli import run

IMAGES = [{"id": number, "file_name": f"{name}.png"} for number, name in enumerate(("red", "green", "blue"), start=1)]
CAPTIONS = [
    {"id": 11, "image_id": 1, "caption": "red"},
    {"id": 12, "image_id": 2, "caption": "green"},
    {"id": 13, "image_id": 3, "caption": "blue"},
]


def measured(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> dict[str, Any]:
    assert run(["eval", "retrieval", *arguments, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def captions(colour_home: Path, tmp_path: Path) -> str:
    (tmp_path / "captions.json").write_text(json.dumps({"images": IMAGES, "annotations": CAPTIONS}))
    return str(tmp_path / "captions.json")


def test_true_captions_are_told_from_false_ones(
    colour_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [("red", "red", "blue"), ("green", "green", "red"), ("blue", "red", "blue"), ("nowhere", "red", "blue")]
    records = [{"filename": f"{name}.png", "caption": a, "negative_caption": b} for name, a, b in pairs]
    (tmp_path / "replace_att.json").write_text(json.dumps(dict(enumerate(records))))
    found = measured(capsys, 3, "--pairs", str(tmp_path / "replace_att.json"))
    assert found["pairs"]["replace_att"]["value"] == pytest.approx(200 / 3)
    assert found["pairs"]["all pairs"]["n"] == 3
    assert [one["code"] for one in found["left_out"]] == ["no_such_image"]


def test_everything_that_fits_is_right(captions: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "eccv_caption_to_image.json").write_text(json.dumps({"11": [1], "12": [2], "13": [1]}))
    (tmp_path / "eccv_image_to_caption.json").write_text(json.dumps({"1": [11, 99], "8": [11]}))
    files = ["--positives", str(tmp_path / "eccv_caption_to_image.json")]
    files += ["--positives", str(tmp_path / "eccv_image_to_caption.json")]
    found = measured(capsys, 3, "--captions", captions, *files)
    assert found["positives"]["text_to_image"]["hit_at_1"]["value"] == pytest.approx(200 / 3)
    assert found["positives"]["image_to_text"]["map_at_r"]["n"] == 1
    assert [one["where"] for one in found["left_out"]] == ["image→text 8", "image→text"]
    assert found["text_to_image"]["recall_at"]["1"] == 100


def test_the_search_is_asked_beside_the_cosine(captions: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = measured(capsys, 0, "--captions", captions, "--fusion")["fusion"]
    assert found["captioned"]["fused"]["1"]["value"] == found["captioned"]["alone"]["1"]["value"] == 100
    assert found["captioned"]["pictures"] == 3
    assert found["held"] == 0


def test_the_tables_name_every_measure(captions: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x_caption_to_image.json").write_text(json.dumps({"11": [1]}))
    (tmp_path / "add_obj.json").write_text(
        json.dumps([{"filename": "red.png", "caption": "red", "negative_caption": "blue"}])
    )
    line = ["--captions", captions, "--fusion", "--positives", str(tmp_path / "x_caption_to_image.json")]
    assert run(["eval", "retrieval", *line, "--pairs", str(tmp_path / "add_obj.json")]) == 0
    shown = capsys.readouterr().out
    for word in ("text→image mAP@R", "add_obj", "Pictures uncaptioned", "picture alone", "gain"):
        assert word in shown


@pytest.mark.parametrize("arguments", [[], ["--fusion"], ["--positives", "x.json"], ["--pairs", "x.json", "--fusion"]])
def test_nothing_to_ask_is_an_error_with_a_remedy(
    arguments: list[str], colour_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", "retrieval", *arguments]) == 1
    assert "Give --captions FILE" in capsys.readouterr().err
