"""A folder that lost something on its way here says what, whatever kind of model it is."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from vision.encoders.builtin import built_in_folder
from vision.encoders.registry import load_encoder
from vision.errors import ModelError, ModelMissingError
from vision.grounding.registry import load_captioner
from vision.model_files import check_whole
from vision.translation.registry import load_translator

_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605157884\n"


def _safetensors(folder: Path, missing: int = 0) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    (folder / "model.safetensors").write_bytes(
        (struct.pack("<Q", len(header)) + header + bytes(16))[: -missing or None]
    )


def _parts(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-00001-of-00002.safetensors").write_bytes(struct.pack("<Q", 2) + b"{}")


def _write(**files: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        _safetensors(folder)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text)

    return write


def _unfinished(folder: Path) -> None:
    (folder / "model.safetensors.part").write_bytes(b"half")


def _pointer_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_text(_POINTER)


def _pointer_graph(folder: Path) -> None:
    (folder / "onnx").mkdir()
    (folder / "onnx" / "text_model.onnx").write_text(_POINTER)


@pytest.mark.parametrize(
    ("make", "error", "message", "remedy"),
    [
        (_pointer_weights, ModelError, "model.safetensors is a git-lfs", "git lfs pull"),
        (_write(tokenizer__json=_POINTER), ModelError, "tokenizer.json is a git-lfs pointer", "git lfs pull"),
        (_pointer_graph, ModelError, "text_model.onnx is a git-lfs pointer", "git lfs pull"),
        (lambda folder: _safetensors(folder, 5), ModelError, "model.safetensors was cut off: it has", "fetch it again"),
        (_parts, ModelMissingError, "1 of 2 parts of the weights are missing, first model-00002", "Fetch these parts"),
        (_write(merges__txt="a b"), ModelMissingError, "vocab.json is missing beside merges.txt", "Copy vocab.json"),
        (_write(vocab__json="{}"), ModelMissingError, "merges.txt or sentencepiece.bpe.model is missing", "Copy it"),
        (_unfinished, ModelMissingError, "model.safetensors.part is a download that did not finish", "Finish"),
    ],
    ids=["weights", "tokenizer", "graph", "cut", "parts", "vocabulary", "merges", "unfinished"],
)  # fmt: skip
def test_what_is_missing_names_itself_and_the_way_out(
    make: Callable[[Path], object], error: type[ModelError], message: str, remedy: str, tmp_path: Path
) -> None:
    make(tmp_path)
    with pytest.raises(error, match=message) as caught:
        check_whole(tmp_path)
    assert remedy in caught.value.remedy
    for load in (load_encoder, load_captioner, load_translator):
        with pytest.raises(error, match=message):
            load(str(tmp_path))


@pytest.mark.parametrize(
    "start", [b"", b"\0" * 20, struct.pack("<Q", 1 << 60), struct.pack("<Q", 3) + b"[1]", b"x" * 9]
)
def test_weights_that_are_no_safetensors_are_no_crash(start: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(start)
    try:
        check_whole(tmp_path)
    except ModelError as error:
        assert "cut off" in str(error)  # noqa: PT017  # either is right: the loader judges what is left


def test_whole_folders_pass(tmp_path: Path) -> None:
    check_whole(built_in_folder("storybook-encoder"))
    check_whole(tmp_path)
    shutil.copytree(built_in_folder("storybook-encoder"), tmp_path / "copy")
    check_whole(tmp_path / "copy")
