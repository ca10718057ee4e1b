"""`deixis models locate`: what was brought by hand or moved is said once, checked, and found by every command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deixis.cli import run
from vision.encoders.builtin import built_in_folder, installed_folder
from vision.encoders.registry import find_model
from vision.errors import ModelMissingError
from vision.grounding.registry import find_captioner
from vision.located import located_folder
from vision.translation.registry import find_translator


@pytest.fixture
def encoder_folder(tmp_path: Path) -> Path:
    return shutil.copytree(built_in_folder("storybook-encoder"), tmp_path / "brought")


def test_a_preset_brought_by_hand_is_found_by_its_name(
    colour_home: Path, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "locate", "clip-vit-b32", str(encoder_folder)]) == 0
    assert find_model("clip-vit-b32").folder == encoder_folder
    capsys.readouterr()
    assert run(["models", "path", "clip-vit-b32"]) == 0
    assert capsys.readouterr().out.strip() == str(encoder_folder)

    encoder_folder.rename(encoder_folder.with_name("moved"))
    with pytest.raises(ModelMissingError, match="was said to lie in") as caught:
        find_model("clip-vit-b32")
    assert "deixis models locate clip-vit-b32 FOLDER" in caught.value.remedy
    assert run(["models", "locate", "clip-vit-b32", "--forget"]) == 0
    assert located_folder("clip-vit-b32") is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["siglip2-base"], "which folder?"),
        (["siglip2-base", "{tmp}/nowhere"], "no such folder"),
        (["siglip2-base", "{tmp}"], "config.json is missing"),
        (["kosmos2", "{encoder}"], "which is of the encoders, and kosmos2 is of the captioners"),
        (["m2m100", "{encoder}"], "m2m100 is of the translators"),
        (["siglip2-base", "{captioner}"], "which is of the captioners, and siglip2-base is of the encoders"),
        (["colour", "{pointer}"], "was made with colour"),
        (["nothing", "{encoder}"], "is no preset, no hub repository and not the library's encoder"),
        (["siglip2-base", "{pointer}"], "is a git-lfs pointer"),
        (["library", "{encoder}"], "was made with colour"),
    ],
)
def test_what_cannot_be_the_model_is_not_remembered(
    arguments: list[str],
    message: str,
    colour_home: Path,
    encoder_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pointer = shutil.copytree(encoder_folder, tmp_path / "pointer")
    if arguments[0] != "colour":
        (pointer / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    captioner = installed_folder("x", "storybook", "models/captioner")
    places = {"tmp": tmp_path, "encoder": encoder_folder, "captioner": captioner, "pointer": pointer}
    assert run(["models", "locate", *(one.format(**places) for one in arguments)]) == 1
    assert message in capsys.readouterr().err
    assert located_folder(arguments[0]) is None


@pytest.mark.parametrize(
    ("find", "name", "flag", "needs", "needs_not"),
    [
        (find_model, "siglip2-base", "deixis index ~/Pictures --model FOLDER", "preprocessor_config.json", "m2m"),
        (find_captioner, "kosmos2", "deixis caption --captioner FOLDER", "preprocessor_config.json", "--model"),
        (find_translator, "m2m100", "--translator FOLDER", "sentencepiece.bpe.model", "preprocessor_config"),
    ],
)
def test_a_missing_model_is_asked_for_by_its_own_files_and_flag(
    find: object, name: str, flag: str, needs: str, needs_not: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelMissingError, match="is not on this machine") as caught:
        find(name)  # type: ignore[operator]
    for part in (f"deixis models pull {name}", f"deixis models locate {name} FOLDER", "hf download ", flag, needs):
        assert part in caught.value.remedy
    assert needs_not not in caught.value.remedy


@pytest.mark.parametrize(
    ("find", "name", "message"),
    [
        (find_model, "kosmos2", "kosmos2 is of the captioners.*\nGive it with --captioner"),
        (find_captioner, "m2m100", "m2m100 is of the translators.*\nGive it with --translator"),
        (find_translator, "siglip2-base", "siglip2-base is of the encoders.*\nGive it with --model"),
    ],
)
def test_a_preset_of_another_kind_is_sent_to_its_flag(find: object, name: str, message: str) -> None:
    with pytest.raises(ModelMissingError, match=message):
        find(name)  # type: ignore[operator]
