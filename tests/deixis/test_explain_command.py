"""`deixis explain`: what it writes, what it never overwrites, and how it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deixis.cli import run
from storybook.drawing import render
from storybook.scenes import generate_scene
from tests.vision.grounding.conftest import save_captioner


@pytest.fixture(scope="module")
def captioner(tmp_path_factory: pytest.TempPathFactory) -> str:
    # So little room that random weights, which never end, write a few words and no more.
    return str(save_captioner(tmp_path_factory.mktemp("captioner"), max_position_embeddings=48))


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "bicycle.png"
    render(generate_scene(8, "test"), 200).image.save(path)
    return path


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("DEIXIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEIXIS_THREADS", "1")
    monkeypatch.chdir(tmp_path)


ENCODER = ["--model", "storybook-encoder"]
FORMAT = '"format": "deixis-explain-1"'


def index_of(folder: Path) -> dict[str, Any]:
    index: dict[str, Any] = json.loads((folder / "explain.json").read_text(encoding="utf-8"))
    return index


def assert_whole(folder: Path) -> dict[str, Any]:
    """Everything that the index lists is there and fits, and nothing else."""
    index = index_of(folder)
    words = [word for entry in index["explanations"] for word in entry["words"]]
    files = [word["file"] for word in words]
    assert sorted([*files, "explain.json", "contact.png", "arrays.npz"]) == sorted(os.listdir(folder))
    for name in [*files, "contact.png"]:
        with Image.open(folder / name) as shown:
            shown.verify()
    with np.load(folder / "arrays.npz") as arrays:
        for entry in index["explanations"]:
            assert arrays[entry["kind"]].shape == (len(entry["words"]), entry["rows"], entry["columns"])
            assert arrays[entry["kind"]].dtype == np.float32
    return index


def test_a_query_has_a_picture_for_each_of_its_parts(picture: Path, tmp_path: Path) -> None:
    assert (
        run(["explain", str(picture), "--query", "a green bicycle at a harbour", "--model", "storybook-encoder"]) == 0
    )
    index = assert_whole(tmp_path / "bicycle-explained")
    (entry,) = index["explanations"]
    assert (entry["kind"], entry["model"]) == ("similarity", "storybook-encoder")
    assert [word["text"] for word in entry["words"]][1:] == ["a green bicycle", "green", "bicycle", "harbour"]
    assert entry["words"][1]["file"] == "02-similarity-a-green-bicycle.png"
    assert all(word["high"] > word["low"] for word in entry["words"])
    with Image.open(tmp_path / "bicycle-explained" / entry["words"][1]["file"]) as shown:
        assert shown.width == 240, "the caption strip is wider than this small picture"


def test_without_a_query_each_word_of_a_caption_has_one(
    picture: Path, captioner: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    assert run(["explain", str(picture), "--captioner", captioner, "--out", str(folder), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed.pop("folder") == str(folder)
    assert printed == assert_whole(folder)
    (entry,) = printed["explanations"]
    assert entry["words"]
    assert all(entry["text"][slice(*word["span"])] == word["text"] for word in entry["words"])
    assert all(0 <= word["off_picture"] <= 1 for word in entry["words"])


def test_both_models_explain_a_query_and_replace_only_what_is_theirs(
    picture: Path, captioner: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    arguments = ["explain", str(picture), "--captioner", captioner, *ENCODER]
    assert run([*arguments, "--query", "a red dog", "--out", str(folder)]) == 0
    assert [entry["kind"] for entry in assert_whole(folder)["explanations"]] == ["similarity", "attention"]
    assert "off the picture" in capsys.readouterr().out
    (folder / "notes.txt").write_text("mine")
    assert run([*arguments, "--query", "a cat", "--out", str(folder)]) == 0
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    assert [entry["text"] for entry in assert_whole(folder)["explanations"]] == ["a cat", "a cat"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("holiday.jpg", "mine"),
        ("explain.json", "no JSON"),
        ("explain.json", '{"format": "another"}'),
        (
            "explain.json",
            "{" + FORMAT + ', "explanations": [{"words": [{"file": "../../holiday.jpg"}]}]}',
        ),
    ],
)
def test_a_folder_of_somebody_else_is_refused_before_any_work(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / name).write_text(content)
    assert run(["explain", str(picture), "--query", "red", "--model", "/nowhere", "--out", str(folder)]) == 1
    assert "not from deixis explain" in capsys.readouterr().err
    assert (folder / name).read_text() == content


def test_a_file_of_somebody_else_in_our_folder_is_never_overwritten(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    arguments = ["explain", str(picture), *ENCODER, "--out", str(folder), "--query"]
    assert run([*arguments, "dog"]) == 0
    (folder / "01-similarity-cat.png").write_text("mine")
    assert run([*arguments, "cat"]) == 1
    assert "is there and not ours" in capsys.readouterr().err
    assert (folder / "01-similarity-cat.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.png", "--query", "red", "--model", "storybook-encoder"], "nothing.png"),
        (["{picture}", "--query", " "], "the query is empty"),
        (["{picture}", "--query", "a" * 1001], "1001 characters"),
        (["{picture}", "--query", "red", "--model", "colour"], "none per patch"),
        (["{picture}", "--query", "red", "--model", "/nowhere"], "no such model folder"),
        (["{picture}", "--captioner", "/nowhere"], "no such model folder"),
        (["{picture}", "--captioner", "{captioner}", "--language", "tlh"], "does not write 'tlh'"),
        (
            ["{picture}", "--query", "<phrase>", *ENCODER, "--captioner", "{captioner}"],
            "<phrase>",
        ),
        (
            ["{picture}", "--query", "red", *ENCODER, "--out", "{picture}"],
            "not from deixis explain",
        ),
    ],
)
def test_what_cannot_be_explained_is_refused_in_words_and_leaves_nothing(
    picture: Path,
    captioner: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    filled = [argument.format(picture=picture, captioner=captioner) for argument in arguments]
    assert run(["explain", *filled]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.glob("*-explained"))
