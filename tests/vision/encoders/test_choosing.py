"""The fastest faithful backend is chosen by what was measured, remembered, and measured again after a change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vision.encoders.choosing import WORST_COSINE, choose_backend, fastest_faithful, time_is_up, worth_choosing
from vision.encoders.comparing import Measured
from vision.encoders.layer_speed import layer_gain
from vision.encoders.registry import load_encoder
from vision.errors import ModelMissingError


def _measured(*rows: tuple[str, float, float, float]) -> list[Measured]:
    return [Measured("transformers", 1.0, 1.0, 1.0), *(Measured(*row) for row in rows)]


@pytest.mark.parametrize(
    ("rows", "chosen"),
    [
        ([], "transformers"),
        ([("a", 2.0, 0.9999, 0.9999), ("b", 3.0, 0.9995, 0.9991)], "b"),
        ([("a", 2.0, 0.9999, 0.9999), ("b", 3.0, 0.9995, 0.9989)], "a"),
        ([("a", 2.0, 0.9989, 0.9999)], "transformers"),
        ([("a", 1.05, 1.0, 1.0)], "transformers"),
        ([("a", 0.5, 1.0, 1.0)], "transformers"),
    ],
)
def test_the_fastest_that_is_faithful_in_pictures_and_texts_wins(
    rows: list[tuple[str, float, float, float]], chosen: str
) -> None:
    assert fastest_faithful(_measured(*rows)) == chosen


def test_a_choice_is_measured_once_said_and_remembered(clip_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(clip_folder, tmp_path / "model")
    first = choose_backend(str(folder), threads=1, notes=tmp_path / "notes")
    assert (first.measured[0].backend, first.measured[0].speed) == ("transformers", 1.0)
    told = [*(one.backend for one in first.measured), *(reason.rpartition(": ")[0] for reason in first.refused)]
    assert sorted(told) == [f"transformers{variant}" for variant in ("", ":bfloat16", ":float16", ":int8")]
    assert str(first).startswith(f"{first.backend} chosen: ")
    assert "measured now on " in str(first)
    assert load_encoder(str(folder), threads=1, backend=first.backend).facts.backend == first.backend

    again = choose_backend(str(folder), threads=1, notes=tmp_path / "notes")
    assert (again.measured, again.backend, again.remembered) == (first.measured, first.backend, True)
    assert "measured earlier on " in str(again)

    (note,) = (tmp_path / "notes").iterdir()
    note.write_text(json.dumps(json.loads(note.read_text()) | {"backend": "onnx:gone"}))
    assert not choose_backend(str(folder), threads=1, notes=tmp_path / "notes").remembered

    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")
    assert not choose_backend(str(folder), threads=1, notes=tmp_path / "notes").remembered


def test_graphs_and_openvino_are_candidates_where_they_are(exported_folder: Path, tmp_path: Path) -> None:
    choice = choose_backend(str(exported_folder), threads=1, notes=tmp_path)
    told = " ".join([*(one.backend for one in choice.measured), *choice.refused])
    assert choice.measured[0].backend == "onnx"
    for name in ("onnx:int8", "openvino", "openvino:int8"):
        assert name in told
    (chosen,) = [one for one in choice.measured if one.backend == choice.backend]
    assert chosen.worst_cosine >= WORST_COSINE


def test_a_candidate_that_cannot_be_loaded_is_left_out_with_its_reason(exported_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exported_folder, tmp_path / "model")
    (folder / "onnx" / "text_model_int8.onnx").write_bytes(b"no graph")
    choice = choose_backend(str(folder), threads=1, notes=tmp_path / "notes")
    assert "onnx:int8" not in [one.backend for one in choice.measured]
    assert any("onnxruntime cannot load it" in reason for reason in choice.refused)


def test_a_folder_that_offers_nothing_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"config.json is missing"):
        choose_backend(str(tmp_path), threads=1, notes=tmp_path / "notes")


def test_only_large_models_are_worth_a_measurement(clip_folder: Path, tmp_path: Path) -> None:
    assert not worth_choosing(str(clip_folder))
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(300 << 20)  # a hole: no byte of it is written
    assert worth_choosing(str(tmp_path))


def test_what_is_being_measured_is_said_before(exported_folder: Path, tmp_path: Path) -> None:
    said: list[str] = []
    choose_backend(str(exported_folder), threads=1, notes=tmp_path / "notes", progress=said.append)
    (line,) = said
    assert line.startswith("measuring onnx:int8")
    assert "--backend transformers skips it" in line
    choose_backend(str(exported_folder), threads=1, notes=tmp_path / "notes", progress=said.append)
    assert said == [line]  # remembered: nothing is measured


def test_a_choice_that_cannot_be_remembered_is_made_all_the_same(clip_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("in the way")
    assert choose_backend(str(clip_folder), threads=1, notes=tmp_path / "notes").backend.startswith("transformers")


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "int8"])
def test_one_layer_tells_what_a_precision_is_worth_here(precision: str) -> None:
    assert layer_gain(precision) >= 0


@pytest.mark.parametrize(
    ("spent_s", "reference_s", "up"), [(3, 3, False), (30, 10, False), (39, 10, True), (60, 60, False), (95, 60, True)]
)
def test_a_choice_ends_in_time(spent_s: float, reference_s: float, up: bool) -> None:
    assert time_is_up(spent_s, reference_s) is up
