"""Precision and backend on the command line: a library keeps its own, a choice is said aloud, exports are measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from deixis.cli import run
from deixis.context import encoder_for, open_library, read_settings
from search.errors import SettingsError

_MODEL = "storybook-encoder"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEIXIS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DEIXIS_THREADS", "1")
    monkeypatch.setenv("DEIXIS_DECODE_WORKERS", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for colour in ("red", "blue"):
        Image.new("RGB", (40, 30), colour).save(folder / f"{colour}.png")
    return folder


def _backend_of_the_library(**asked: object) -> str:
    settings = read_settings(**asked)
    with open_library(settings) as library:
        return encoder_for(settings, library).facts.backend


def test_a_library_keeps_the_precision_that_made_it(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["index", str(pictures), "--model", _MODEL, "--precision", "int8", "--quiet"]) == 0
    assert _backend_of_the_library() == "transformers:int8"
    assert _backend_of_the_library(model=_MODEL) == "transformers:int8"
    assert _backend_of_the_library(model=_MODEL, backend="auto") == "transformers:int8"
    assert run(["search", "red", "-k", "1"]) == 0

    capsys.readouterr()
    assert run(["index", "--precision", "bfloat16", "--quiet"]) == 1
    assert "backend" in (said := capsys.readouterr().err)
    assert "--replace-model" in said

    monkeypatch.setenv("DEIXIS_PRECISION", "float32")
    assert run(["index", "--replace-model", "--quiet"]) == 0
    monkeypatch.delenv("DEIXIS_PRECISION")
    assert _backend_of_the_library() == "transformers"


def test_auto_says_what_it_chose_and_binds_a_new_library_to_it(
    pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["index", str(pictures), "--model", _MODEL, "--backend", "auto", "--quiet"]) == 0
    said = capsys.readouterr().err
    assert f"{_MODEL}: transformers" in said
    assert "measured now on " in said
    assert f"{_MODEL}: {_backend_of_the_library()} chosen" in said


def test_auto_and_a_precision_contradict_each_other(tmp_path: Path) -> None:
    settings = read_settings(model=_MODEL, backend="auto", precision="int8")
    with (
        open_library(settings, create=True) as library,
        pytest.raises(SettingsError, match=r"auto chooses the precision too"),
    ):
        encoder_for(settings, library)


def test_an_export_is_compared_measured_and_never_written_over_foreign_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(["export", _MODEL, "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [parity["precision"] for parity in document["parity"]] == ["float32", "int8"]

    assert run(["quality", str(out), "--scenes", "10", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["measured"]["backend"] for row in document["rows"]][:2] == ["onnx", "onnx:int8"]
    assert document["rows"][0]["loss"] == 0.0
    assert document["machine"]

    (out / "deixis-export.json").unlink()
    assert run(["export", _MODEL, "--out", str(out)]) == 1
    assert "holds something that is no export" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "nowhere", "--out", "x"], "no such model folder"),
        (["export", "colour", "--out", "x"], "colour is built in"),
        (["export", _MODEL, "--out", "x", "--precision", "int4"], "does not compute in 'int4'"),
        (["quality", _MODEL, "--captions", "x.json"], "--captions and --pictures belong together"),
        (["quality", "colour"], "colour is built in"),
        (["index", ".", "--model", _MODEL, "--backend", "jax"], "unknown backend 'jax'"),
    ],
)
def test_misuse_says_what_to_do(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_captions_over_pictures_are_an_evaluation_set(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = tmp_path / "captions.jsonl"
    records = [
        {"file": f"{colour}.png", "captions": [{"text": f"a {colour} square"}]} for colour in ("red", "blue", "no")
    ]
    captions.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    arguments = ["quality", _MODEL, "--captions", str(captions), "--pictures", str(pictures), "--json"]
    assert run(arguments) == 3
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["rows"][0]["figures"]["t2i_r5"] == 100.0
    assert len(document["left_out"]) == 1
    assert "left out: no.png: " in captured.err
