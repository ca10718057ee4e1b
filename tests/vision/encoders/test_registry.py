"""A name, a folder or a hub id becomes the right encoder, and every wrong one gets an error with a way out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vision.encoders.registry import find_model, load_encoder
from vision.errors import ModelError, ModelMissingError


def test_colour_needs_no_file() -> None:
    assert load_encoder("colour").facts.backend == "colour"


def test_a_folder_with_safetensors_loads_by_transformers(clip_folder: Path) -> None:
    facts = load_encoder(str(clip_folder), threads=1).facts
    assert (facts.backend, facts.name, facts.location) == ("transformers", clip_folder.name, str(clip_folder))


def test_a_folder_with_graphs_alone_loads_by_onnx(photo_tiny_dir: Path) -> None:
    facts = load_encoder(str(photo_tiny_dir), threads=1).facts
    assert (facts.backend, facts.name, facts.dim) == ("onnx", "photo-tiny", 128)


def test_the_facts_lead_back_to_the_same_encoder(photo_tiny_dir: Path) -> None:
    facts = load_encoder(str(photo_tiny_dir), threads=1).facts
    assert load_encoder(facts.location, threads=1, backend=facts.backend).facts == facts


def test_a_folder_named_from_the_home_directory_is_found(
    clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copytree(clip_folder, tmp_path / "mine")
    assert find_model("~/mine").folder == tmp_path / "mine"


def test_a_preset_that_is_not_here_says_how_to_bring_it() -> None:
    with pytest.raises(ModelMissingError, match="is not on this machine") as caught:
        load_encoder("siglip2-so400m")
    assert "deixis models pull siglip2-so400m" in caught.value.remedy
    assert "--model FOLDER" in caught.value.remedy


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        ("no such", {}, ModelMissingError, "no such model folder\nGive a folder, or one of: .*siglip2-base,"),
        ("./nowhere", {}, ModelMissingError, "no such model folder"),
        (__file__, {}, ModelMissingError, "it is a file"),
        ("{empty}", {}, ModelMissingError, "config.json is missing"),
        ("{empty}", {"backend": "onnx"}, ModelMissingError, "preprocessor_config.json is missing"),
        ("{empty}", {"backend": "jax"}, ModelError, "unknown backend 'jax'"),
        ("{empty}", {"threads": 0}, ModelError, "threads must be at least 1"),
    ],
)
def test_what_cannot_be_loaded_is_named(
    model: str, options: dict[str, object], error: type[ModelError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        load_encoder(model.format(empty=tmp_path), **options)
