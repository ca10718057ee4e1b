"""Damaged captioner folders, each refused by the name of its damage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vision.errors import ModelError, ModelMissingError
from vision.grounding.kosmos2 import Kosmos2Captioner


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])


def _changed_config(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        text = {**config["text_config"], **changes.pop("text_config", {})}
        path.write_text(json.dumps({**config, "text_config": text, **changes}))

    return change


def _plain_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["added_tokens"] = [row for row in tokenizer["added_tokens"] if "patch_index" not in row["content"]]
    path.write_text(json.dumps(tokenizer))
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "added_tokens_decoder": {}}))


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without("config.json"), ModelMissingError, "config.json is missing"),
        (_without("model.safetensors"), ModelMissingError, "model.safetensors is missing"),
        (_without("tokenizer.json"), ModelMissingError, "tokenizer.json is missing"),
        (_pickled, ModelError, "only pickled weights"),
        (_cut, ModelError, "weights cannot be loaded"),
        (_changed_config(model_type="clip"), ModelError, "no grounded captioner"),
        (_changed_config(text_config={"layers": 3}), ModelError, "weights are missing"),
        (_changed_config(text_config={"pad_token_id": 0}), ModelError, "pads with 1"),
        (_plain_tokenizer, ModelError, "is not one token"),
    ],
)
def test_a_damaged_folder_is_refused_by_name(
    captioner_folder: Path, tmp_path: Path, damage: Callable[[Path], None], error: type[Exception], message: str
):
    folder = shutil.copytree(captioner_folder, tmp_path / "damaged")
    damage(folder)
    with pytest.raises(error, match=message):
        Kosmos2Captioner(folder, name="damaged", threads=1)


def test_an_unknown_precision_is_refused(captioner_folder: Path):
    with pytest.raises(ModelError, match="does not compute in 'int3'"):
        Kosmos2Captioner(captioner_folder, name="tiny", threads=1, precision="int3")
