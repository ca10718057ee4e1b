"""Is a model's folder whole? Pointer files, interrupted downloads and missing parts, each named with the way out."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from vision.errors import ModelError, ModelMissingError

_POINTER = b"version https://git-lfs.github.com/spec/v1"
_POINTER_BYTES = 1024
_UNFINISHED = ("*.incomplete", "*.part", "*.partial", "*.crdownload", "*.aria2", "*.download")
# Of a tokenizer that comes in several files, each is worth nothing without the others.
_TOGETHER = (("merges.txt", "vocab.json"), ("sentencepiece.bpe.model", "vocab.json"))


def check_whole(folder: Path) -> None:
    """Refuse a folder in which something was left out on the way here, before a library chokes on it.

    Args:
        folder: of a model of any kind; one without weights or configuration is for its loader to judge.

    Raises:
        ModelMissingError: a file is not there; the message names it.
        ModelError: a file is a pointer, or was cut off; the message names it.
    """
    files = [path for place in (folder, folder / "onnx") if place.is_dir() for path in sorted(place.iterdir())]
    for path in files:
        if path.is_file():
            _check_pointer(path)
    for path in folder.glob("*.safetensors"):
        _check_length(path)
    _check_parts(folder)
    _check_tokenizer(folder)
    if not any(path.suffix in (".safetensors", ".onnx") for path in files):
        _check_unfinished(folder)


def _check_pointer(path: Path) -> None:
    try:
        if path.stat().st_size > _POINTER_BYTES:
            return
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
    except OSError:  # its loader says what is wrong with it
        return
    if start == _POINTER:
        raise ModelError(
            f"{path} is a git-lfs pointer of a few bytes, not the file itself",
            remedy="In the clone run `git lfs install` and `git lfs pull`, or fetch this file again.",
        )


def _check_length(path: Path) -> None:
    """A safetensors file says in its header where its last tensor ends."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            (length,) = struct.unpack("<Q", start)
            if length > size:
                raise _cut_off(path, size, 8 + length)
            header = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        expected = 8 + length + max(ends, default=0)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error):
        return  # its loader says what is wrong with it
    if size < expected:
        raise _cut_off(path, size, expected)


def _cut_off(path: Path, size: int, expected: int) -> ModelError:
    whole = f"{expected:,}" if expected < 1 << 45 else "many more"
    return ModelError(
        f"{path} was cut off: it has {size:,} of {whole} bytes", remedy="Its download or copy stopped; fetch it again."
    )


def _check_parts(folder: Path) -> None:
    index = folder / "model.safetensors.index.json"
    try:
        parts = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, or for its loader to judge
        return
    missing = [part for part in parts if not (folder / str(part)).is_file()]
    if missing and not (folder / "model.safetensors").is_file():
        raise ModelMissingError(
            f"{folder}: {len(missing)} of {len(parts)} parts of the weights are missing, first {missing[0]}",
            remedy="Fetch these parts too, or the model's whole folder again.",
        )


def _check_tokenizer(folder: Path) -> None:
    if (folder / "tokenizer.json").is_file():
        return
    for first, second in _TOGETHER:
        here = [(folder / name).is_file() for name in (first, second)]
        if here == [True, False]:
            raise ModelMissingError(
                f"{folder}: {second} is missing beside {first}: the tokenizer is not whole",
                remedy=f"Copy {second} of the same model into this folder, or tokenizer.json, which holds both.",
            )
    _check_halves(folder)


def _check_halves(folder: Path) -> None:
    if not (folder / "vocab.json").is_file():
        return
    if not any((folder / name).is_file() for name, _ in _TOGETHER):
        others = " or ".join(name for name, _ in _TOGETHER)
        raise ModelMissingError(
            f"{folder}: {others} is missing beside vocab.json: the tokenizer is not whole",
            remedy="Copy it of the same model into this folder, or tokenizer.json, which holds both.",
        )


def _check_unfinished(folder: Path) -> None:
    for pattern in _UNFINISHED:
        for path in sorted(folder.glob(pattern)):
            raise ModelMissingError(
                f"{folder}: the weights are missing, and {path.name} is a download that did not finish",
                remedy="Finish the download, or fetch the model's whole folder again.",
            )
