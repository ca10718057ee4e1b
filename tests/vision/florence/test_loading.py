"""Folders of Florence-2: found by `config.json`, and each damage refused by its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.vision.florence.conftest import NAMELESS, change_json
from vision.errors import ModelError, ModelMissingError
from vision.florence.captioner import Florence2Captioner
from vision.grounding.kosmos2 import Kosmos2Captioner
from vision.grounding.presets import CAPTIONERS
from vision.grounding.registry import load_captioner


def test_a_folder_is_loaded_by_what_its_configuration_says(florence_folder: Path):
    captioner = load_captioner(str(florence_folder), threads=1)
    assert isinstance(captioner, Florence2Captioner)
    assert captioner.facts.name == florence_folder.name
    assert len(captioner.facts.revision) == 40


@pytest.mark.parametrize("name", ["florence2-base", "florence2-large"])
def test_a_preset_is_loaded_from_the_cache_at_its_pinned_commit(
    florence_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    preset = CAPTIONERS[name]
    snapshots = tmp_path / f"models--{preset.hub_id.replace('/', '--')}" / "snapshots"
    snapshots.mkdir(parents=True)
    (snapshots / preset.revision).symlink_to(florence_folder)
    captioner = load_captioner(name, threads=1)
    assert (captioner.facts.name, captioner.facts.revision) == (name, preset.revision)
    assert captioner.facts.languages == preset.languages


def test_nameless_phrases_are_those_that_the_folder_lists(
    florence: Florence2Captioner, florence_folder: Path, tmp_path: Path
):
    folder = shutil.copytree(florence_folder, tmp_path / "plain")
    change_json(folder / "processor_config.json", post_processor_config={})
    assert Florence2Captioner(folder, name="plain", threads=1)._engine.nameless == frozenset()
    assert florence._engine.nameless == frozenset(NAMELESS)


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def _changed(name: str, section: str, **changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        change_json(folder / name, **{section: {**content[section], **changes}})

    return change


def _without_places(folder: Path) -> None:
    path = folder / "tokenizer.json"
    added = json.loads(path.read_text())["added_tokens"]
    change_json(path, added_tokens=[row for row in added if "<loc_" not in row["content"]])


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


_LARGE = {"height": 160, "width": 160}


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without("config.json"), ModelMissingError, "config.json is missing"),
        (_without("model.safetensors"), ModelMissingError, "model.safetensors is missing"),
        (_without("tokenizer.json"), ModelMissingError, "tokenizer.json is missing"),
        (_without("processor_config.json"), ModelMissingError, "preprocessor_config.json is missing"),
        (_pickled, ModelError, "only pickled weights"),
        (_cut, ModelError, "was cut off"),
        (_changed("config.json", "text_config", decoder_layers=3), ModelError, "weights are missing"),
        (_changed("config.json", "text_config", bos_token_id=3), ModelError, "in the weights"),
        (_changed("config.json", "text_config", decoder_start_token_id=0), ModelError, "in the weights"),
        (_without_places, ModelError, "<loc_0> is not one token"),
        (
            _changed("processor_config.json", "image_processor", size=_LARGE),
            ModelError,
            "a picture of 160 pixels has 5 places",
        ),
        (
            _changed("processor_config.json", "image_processor", size={"height": 64, "width": 32}),
            ModelError,
            "pictures of 32×64 pixels",
        ),
    ],
)
def test_a_damaged_folder_is_refused_by_name(
    florence_folder: Path, tmp_path: Path, damage: Callable[[Path], None], error: type[Exception], message: str
):
    folder = shutil.copytree(florence_folder, tmp_path / "damaged")
    damage(folder)
    with pytest.raises(error, match=message):
        load_captioner(str(folder), threads=1)


@pytest.mark.parametrize("precision", ["float16", "int3"])
def test_a_precision_that_is_not_computed_here_is_refused(florence_folder: Path, precision: str):
    with pytest.raises(ModelError, match=f"does not compute in '{precision}'"):
        Florence2Captioner(florence_folder, name="tiny", threads=1, precision=precision)


def test_each_captioner_refuses_the_others_folder(florence_folder: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="no grounded captioner"):
        Kosmos2Captioner(florence_folder, name="tiny", threads=1)
    folder = shutil.copytree(florence_folder, tmp_path / "other")
    change_json(folder / "config.json", model_type="kosmos-2")
    with pytest.raises(ModelError, match="is no Florence-2"):
        Florence2Captioner(folder, name="other", threads=1)
