"""Captioners by name, without the network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from huggingface_hub import constants

import vision
from vision.errors import ModelError, ModelMissingError
from vision.grounding.presets import CAPTIONERS
from vision.grounding.prompts import CAPTION_PROMPTS
from vision.grounding.registry import find_captioner, load_captioner


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def test_a_folder_is_loaded_by_its_path(captioner_folder: Path):
    captioner = load_captioner(str(captioner_folder), threads=1)
    assert captioner.facts.name == captioner_folder.name
    assert len(captioner.facts.revision) == 40


def test_the_preset_is_loaded_from_the_cache_at_its_pinned_commit(captioner_folder: Path, cache: Path):
    preset = CAPTIONERS["kosmos2"]
    snapshots = cache / f"models--{preset.hub_id.replace('/', '--')}" / "snapshots"
    snapshots.mkdir(parents=True)
    (snapshots / preset.revision).symlink_to(captioner_folder)
    captioner = load_captioner("kosmos2", threads=1)
    assert (captioner.facts.name, captioner.facts.revision) == ("kosmos2", preset.revision)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("kosmos2", "is not on this machine"),
        ("someone/captioner", "is not on this machine"),
        ("/no/such/folder", "no such model folder"),
        ("florence", "no such model folder"),
    ],
)
def test_a_captioner_that_is_not_here_is_missing_with_a_remedy(cache: Path, model: str, message: str):
    with pytest.raises(ModelMissingError, match=message) as refusal:
        find_captioner(model)
    assert refusal.value.remedy


def test_the_built_in_captioner_is_found_or_named_as_missing():
    folder = Path(vision.__file__).parents[1] / "storybook" / "models" / "captioner"
    if (folder / "model.safetensors").is_file():
        assert find_captioner("storybook-captioner").folder == folder
    else:
        with pytest.raises(ModelMissingError, match="storybook/models/captioner"):
            find_captioner("storybook-captioner")


def test_no_threads_are_refused(captioner_folder: Path):
    with pytest.raises(ModelError, match="threads must be at least 1"):
        load_captioner(str(captioner_folder), threads=0)


@pytest.mark.parametrize("preset", CAPTIONERS.values(), ids=lambda preset: preset.name)
def test_every_preset_is_pinned_or_built_in_and_can_be_asked_in_its_languages(preset):
    assert re.fullmatch(r"[0-9a-f]{40}", preset.revision) if preset.hub_id else preset.package
    assert set(preset.languages) <= set(CAPTION_PROMPTS)
