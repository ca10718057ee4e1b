"""Built-in encoders are found without importing the room that holds them, and load like any other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vision.encoders.builtin import BUILT_IN, built_in_folder
from vision.encoders.registry import find_model, load_encoder

_NAME = "storybook-encoder"


def test_the_table_agrees_with_the_model_that_ships() -> None:
    entry = BUILT_IN[_NAME]
    facts = load_encoder(_NAME, threads=1).facts
    assert (facts.name, facts.dim, facts.context_length) == (_NAME, entry.dim, entry.context_length)
    assert facts.preprocessing.output_hw == (entry.image_px, entry.image_px)
    assert facts.preprocessing.resize == "exact"


def test_it_is_found_in_the_installation() -> None:
    place = find_model(_NAME)
    assert place.folder == built_in_folder(_NAME)
    assert place.folder.parts[-3:] == ("storybook", "models", "encoder")


def test_texts_of_one_meaning_are_nearer_than_texts_of_two() -> None:
    encoder = load_encoder(_NAME, threads=1)
    red, rot, blue = encoder.encode_text(["a red car", "ein rotes Auto", "a blue castle"])
    assert np.dot(red, rot) > np.dot(red, blue)


def test_finding_it_imports_no_other_room() -> None:
    code = (
        "import sys; from vision.encoders.builtin import built_in_folder; built_in_folder('storybook-encoder'); "
        "assert 'storybook' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


def test_an_installation_without_weights_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "storybook").mkdir()
    (tmp_path / "storybook" / "__init__.py").touch()
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from vision.encoders.builtin import built_in_folder\n"
        "from vision.errors import ModelMissingError\n"
        "try: built_in_folder('storybook-encoder')\n"
        "except ModelMissingError as error: print(error)"
    )
    root = Path(__file__).parents[3]
    said = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True, text=True).stdout
    assert "storybook/models/encoder/model.safetensors" in said
    assert "Install Deixis again" in said


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        built_in_folder("nobody")
