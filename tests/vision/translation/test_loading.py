"""Damaged translator folders, each refused by the name of its damage, and names that lead nowhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vision.errors import ModelError, ModelMissingError
from vision.translation.m2m100 import M2M100Translator
from vision.translation.presets import TRANSLATORS
from vision.translation.registry import find_translator, load_translator


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def _changed(name: str, **changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def _garbled(folder: Path) -> None:
    (folder / "sentencepiece.bpe.model").write_bytes(b"no pieces")


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without("config.json"), ModelMissingError, "config.json is missing"),
        (_without("model.safetensors"), ModelMissingError, "model.safetensors is missing"),
        (_without("vocab.json"), ModelMissingError, "vocab.json is missing"),
        (_without("tokenizer_config.json"), ModelMissingError, "tokenizer_config.json is missing"),
        (_without("sentencepiece.bpe.model"), ModelMissingError, "tokenizer.json is missing"),
        (_pickled, ModelError, "(?s)only pickled weights.*deixis models pull m2m100"),
        (_cut, ModelError, "weights cannot be loaded"),
        (_garbled, ModelError, "sentencepiece.bpe.model: cannot be read"),
        (_changed("config.json", model_type="marian"), ModelError, "'marian', which is no translator"),
        (_changed("config.json", decoder_layers=4), ModelError, "weights are missing"),
        (_changed("config.json", pad_token_id=0), ModelError, "pads with 1"),
        (_changed("tokenizer_config.json", language_codes="flores"), ModelError, "language codes 'flores'"),
        (_changed("vocab.json", more=9999), ModelError, "ids with gaps"),
    ],
)
def test_a_damaged_folder_is_refused_by_name(
    translator_folder: Path, tmp_path: Path, damage: Callable[[Path], None], error: type[Exception], message: str
):
    folder = shutil.copytree(translator_folder, tmp_path / "damaged")
    damage(folder)
    with pytest.raises(error, match=message):
        M2M100Translator(folder, name="damaged", threads=1)


def test_a_folder_loads_by_its_path(translator_folder: Path):
    assert load_translator(str(translator_folder), threads=1).facts.name == translator_folder.name


def test_a_preset_that_is_not_here_says_how_to_bring_its_pinned_revision(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelMissingError) as caught:
        load_translator("m2m100", threads=1)
    for part in ("deixis models pull m2m100", TRANSLATORS["m2m100"].revision, "sentencepiece.bpe.model"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("klingon", "no such model folder"), ("./nowhere", "no such model folder"), (__file__, "it is a file")],
)
def test_a_name_that_leads_nowhere_is_refused_with_the_names_that_do(name: str, message: str):
    with pytest.raises(ModelMissingError, match=message) as caught:
        find_translator(name)
    assert "m2m100" in caught.value.remedy


def test_threads_below_one_are_refused():
    with pytest.raises(ModelError, match="threads must be at least 1"):
        load_translator("m2m100", threads=0)
