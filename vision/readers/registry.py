"""From what a user calls a reader to one in memory: a preset or a folder; never the network."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from vision.encoders.folders import folder_named
from vision.errors import ModelError, ModelMissingError
from vision.model_kinds import READER
from vision.model_names import no_such_model
from vision.readers.opencv import EXTRA, opencv
from vision.readers.presets import READERS, ReaderPreset

if TYPE_CHECKING:
    from vision.readers.base import Reader

_MOST_CHARACTERS = 200_000
_MOST_DICTIONARY_BYTES = 4_000_000


def load_reader(model: str, *, threads: int = 1, thorough: bool = False) -> Reader:
    """Load a reader from this machine.

    Args:
        model: a preset's name, or a folder with `detection.onnx`, `recognition.onnx` and, unless the graph carries its
            alphabet, `dictionary.txt` with one character a line.
        threads: CPU cores per call.
        thorough: look at every picture closely, also where a first look finds no text.

    Raises:
        ModelMissingError: it is not here, or its extra is not installed; the remedy says how to bring it.
        ModelError: it is here and cannot be used.
    """
    if threads < 1:
        raise ModelError(f"threads must be at least 1, got {threads}")
    name, detection, recognition, alphabet = _find(model)
    opencv()
    from vision.readers.graphs import GraphReader, ReadingOptions  # noqa: PLC0415 (onnxruntime takes its time)

    options = ReadingOptions(glance_side_px=0) if thorough else ReadingOptions()
    return GraphReader(detection, recognition, alphabet, name=name, threads=threads, options=options)


def installed_reader(name: str) -> Path | None:
    """The folder in which a preset's graphs lie; None where its package is not installed."""
    preset = READERS[name]
    spec = importlib.util.find_spec(preset.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "models"
    return folder if folder.is_dir() else None


def _find(model: str) -> tuple[str, Path, Path, list[str] | None]:
    """Name, both graphs, and the alphabet where it lies beside them."""
    if model in READERS:
        return _of_package(READERS[model])
    folder, kind = folder_named(model)
    if kind != "folder":
        raise no_such_model(model, READER, is_file=kind == "file")
    missing = [name for name in READER.needed if not (folder / name).is_file()]
    if missing:
        raise ModelMissingError(
            f"{folder} has no {' and no '.join(missing)}",
            remedy="A reader's folder holds detection.onnx, recognition.onnx and, as a rule, dictionary.txt: "
            "docs/reading.md says where to get them.",
        )
    dictionary = folder / "dictionary.txt"
    alphabet = _read_alphabet(dictionary) if dictionary.is_file() else None
    return folder.resolve().name, folder / READER.needed[0], folder / READER.needed[1], alphabet


def _of_package(preset: ReaderPreset) -> tuple[str, Path, Path, None]:
    folder = installed_reader(preset.name)
    if folder is None:
        raise ModelMissingError(f"the reader {preset.name} is not installed", remedy=EXTRA)
    graphs = []
    for pattern in (preset.detection, preset.recognition):
        found = sorted(folder.glob(pattern))
        if not found:
            raise ModelMissingError(f"{folder} has no {pattern}", remedy=f"{EXTRA} again, for it is not whole.")
        graphs.append(found[0])
    return preset.name, graphs[0], graphs[1], None


def _read_alphabet(path: Path) -> list[str]:
    """One character a line, blanks included.

    Raises:
        ModelError: it is no text in UTF-8, or too long to be an alphabet.
    """
    try:
        if path.stat().st_size > _MOST_DICTIONARY_BYTES:
            raise ModelError(f"{path} is too long for a dictionary", remedy="It has one character a line.")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise ModelError(
            f"{path} cannot be read: {error}", remedy="It is a text in UTF-8, one character a line."
        ) from error
    lines = text.removesuffix("\n").split("\n")
    if not 0 < len(lines) <= _MOST_CHARACTERS:
        raise ModelError(f"{path} has {len(lines)} lines", remedy="It has one character a line.")
    return [line.removesuffix("\r") for line in lines]
