"""`deixis classify`: a person asks which label fits; a program gets the same as JSON; misuse says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deixis.cli import run
from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.encoders.registry import load_encoder

_ENCODER = ("--model", "storybook-encoder", "--threads", "1")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))


@pytest.fixture
def plain(tmp_path: Path) -> list[str]:
    files = []
    for colour in ("red", "blue"):
        files.append(str(tmp_path / f"{colour}.png"))
        Image.new("RGB", (40, 30), colour).save(files[-1])
    return files


def test_each_picture_gets_its_labels_best_first(plain: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", *plain, "--labels", "blue, red,green", "--model", "colour", "--top", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "3 labels with colour; cosine only" in lines[0]
    answers = [line.split()[-1] for line in lines[1:]]
    assert answers[0::3] == plain
    assert answers[1::3] == ["red", "blue"]
    assert len(answers) == 6


def test_a_program_gets_cosines_and_probabilities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = next(s for s in (generate_scene(seed, "test", True) for seed in range(99)) if s.things[0].kind == "castle")
    picture = tmp_path / "castle.png"
    render(scene, 128).image.save(picture)
    labels = tmp_path / "labels.txt"
    labels.write_text("snail\ncastle\numbrella\n", encoding="utf-8")
    assert run(["classify", str(picture), "--labels-file", str(labels), "--json", *_ENCODER]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["model"], document["probability"]) == ("storybook-encoder", "softmax")
    ((only,), refused) = document["pictures"], document["refused"]
    assert only["path"] == str(picture)
    assert only["labels"][0]["label"] == "castle"
    assert sum(score["probability"] for score in only["labels"]) == pytest.approx(1)
    assert refused == []


def test_templates_in_the_language_of_the_labels_replace_the_english_ones(
    plain: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["classify", plain[0], "--labels", "Auto", "--json", *_ENCODER]
    assert run([*arguments, "--template", "ein rotes {}", "--template", "{}"]) == 0
    scores = json.loads(capsys.readouterr().out)["pictures"][0]["labels"]
    encoder = load_encoder("storybook-encoder", threads=1)
    mean = encoder.encode_text(["ein rotes Auto", "Auto"]).mean(axis=0)
    picture = encoder.encode_images([np.asarray(Image.open(plain[0]))])[0]
    assert scores[0]["similarity"] == pytest.approx(float(picture @ mean / np.linalg.norm(mean)), abs=1e-5)


@pytest.mark.parametrize(("good", "code"), [(True, 3), (False, 1)])
def test_what_is_no_picture_is_named_and_changes_the_exit_code(
    good: bool, code: int, plain: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "notes.png"
    bad.write_text("no picture")
    files = [str(bad), str(tmp_path / "absent.png"), *(plain if good else [])]
    assert run(["classify", *files, "--labels", "red,blue", "--model", "colour", "--json"]) == code
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert [file["path"] for file in document["refused"]] == files[:2]
    assert len(document["pictures"]) == (2 if good else 0)
    assert "notes.png: " in said.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 1, "give either --labels or --labels-file"),
        (["--labels", "a", "--labels-file", "b.txt"], 1, "give either --labels or --labels-file"),
        (["--labels", "cat,,dog"], 1, "label 2 of 3 is empty"),
        (["--labels", ""], 1, "is empty"),
        (["--labels", "cat,dog,CAT"], 1, "comes 2 times"),
        (["--labels-file", "/nowhere/labels.txt"], 1, "/nowhere/labels.txt: cannot be read"),
        (["--labels", "cat", "--template", "a photo"], 1, "must hold {} once"),
        (["--labels", "cat", "--top", "0"], 2, "--top"),
    ],
)
def test_misuse_says_what_to_do(
    arguments: list[str], code: int, message: str, plain: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["classify", plain[0], "--model", "colour", *arguments]) == code
    assert message in capsys.readouterr().err


def test_an_empty_file_of_labels_is_refused(
    plain: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "labels.txt"
    empty.touch()
    assert run(["classify", plain[0], "--model", "colour", "--labels-file", str(empty)]) == 1
    assert "there are no labels" in capsys.readouterr().err
