"""The manifest of an exported library: what it is, how much of everything, and the SHA-256 of each file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from search.errors import ExportFormatError
from search.portable.parquet import DAMAGED, FOREIGN, WrittenFile, sha256_of

MANIFEST = "manifest.json"
"""Written last: a folder without it is no export."""

FORMAT = "deixis-library"
VERSION = 1
"""Of the layout of files and columns; a reader refuses a higher one."""

_MOST_BYTES = 16 << 20
_NAME = re.compile(r"[a-z0-9_-]{1,64}\.parquet")
_HEX = re.compile(r"[0-9a-f]{64}")
_MOST_ID = 2**62


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """An encoder whose vectors the export holds.

    Attributes:
        identity: `EncoderFacts.identity`, 64 hex digits.
    """

    id: int
    name: str
    identity: str
    backend: str
    revision: str
    dim: int
    active: bool


@dataclass(frozen=True, slots=True)
class KeptPatches:
    """Which patches the library keeps; see `search.patches.store.Kept`."""

    model: str
    looks: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `manifest.json` says.

    Attributes:
        schema: revision of the database's form.
        created_at: when the export was made, ISO 8601.
        library: uid of the library that was exported, 32 hex digits.
        models: encoders, by their ids.
        next_ids: by table, an id that no row had yet.
        counts: rows by table, and vectors by kind.
        files: by name.
        patches: None where the library keeps none.
    """

    schema: str
    created_at: str
    library: str
    models: tuple[ModelFacts, ...]
    next_ids: Mapping[str, int]
    counts: Mapping[str, int]
    files: Mapping[str, WrittenFile] = field(default_factory=dict)
    patches: KeptPatches | None = None

    def as_json(self) -> str:
        """The file's text."""
        facts = {"format": FORMAT, "version": VERSION} | asdict(self)
        return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def read_manifest(folder: Path, known_schemas: list[str]) -> Manifest:
    """The manifest of an export.

    Args:
        folder: the export.
        known_schemas: revisions of the database that this version can read.

    Raises:
        ExportFormatError: there is none, it is damaged, or a newer version has written it.
    """
    path = folder / MANIFEST
    try:
        with open(path, "rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise ExportFormatError(
            f"{folder} is no exported library: it has no {MANIFEST}",
            remedy="Name the folder that `deixis export-library` made; one without a manifest was not finished.",
        ) from error
    try:
        said = json.loads(raw) if len(raw) <= _MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "is no JSON") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise ExportFormatError(f"{path} is not the manifest of an exported library", remedy=FOREIGN)
    version = said.get("version")
    if not isinstance(version, int) or version > VERSION or said.get("schema") not in known_schemas:
        raise ExportFormatError(
            f"{folder} was exported by a newer version of Deixis "
            f"(format {version}, schema {said.get('schema')}; this version reads {VERSION}, {known_schemas[-1]})",
            remedy="Update Deixis on this machine.",
        )
    try:
        return _read(said)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"says something that cannot be: {error}") from error


def check_file(folder: Path, name: str, promised: WrittenFile) -> Path:
    """The path of a file of an export, once it is what the manifest promises.

    Raises:
        ExportFormatError: it is missing, has another size, or other bytes.
    """
    path = folder / name
    if not path.is_file():
        raise ExportFormatError(f"{path} is missing, and the manifest names it", remedy=DAMAGED)
    size_bytes = os.stat(path).st_size
    if size_bytes != promised.size_bytes:
        raise ExportFormatError(f"{path} has {size_bytes} bytes instead of {promised.size_bytes}", remedy=DAMAGED)
    if sha256_of(path) != promised.sha256:
        raise ExportFormatError(f"{path} is not what was exported: its SHA-256 is another one", remedy=DAMAGED)
    return path


def _damaged(path: Path, why: str) -> ExportFormatError:
    return ExportFormatError(f"{path} {why}", remedy=DAMAGED)


def _read(said: Mapping[str, Any]) -> Manifest:
    kept = said["patches"]
    patches = None if kept is None else KeptPatches(_hex(kept["model"]), _number(kept["looks"], 1))
    models = tuple(_model(one) for one in _list(said["models"]))
    if len({one.id for one in models}) < len(models) or sum(one.active for one in models) > 1:
        raise ValueError("two models with one id, or both active")
    return Manifest(
        schema=str(said["schema"]),
        created_at=str(said["created_at"]),
        library=str(said["library"]),
        models=models,
        next_ids={str(name): _number(value, 1) for name, value in _mapping(said["next_ids"]).items()},
        counts={str(name): _number(value) for name, value in _mapping(said["counts"]).items()},
        files={_file_name(name): _file(facts) for name, facts in _mapping(said["files"]).items()},
        patches=patches,
    )


def _model(said: Mapping[str, Any]) -> ModelFacts:
    if not isinstance(said["active"], bool):
        raise TypeError("a model is active or not")
    texts = (str(said["name"]), _hex(said["identity"]), str(said["backend"]), str(said["revision"]))
    return ModelFacts(_number(said["id"], 1), *texts, _number(said["dim"], 1), said["active"])


def _file(said: Mapping[str, Any]) -> WrittenFile:
    return WrittenFile(_number(said["rows"]), _number(said["size_bytes"]), _hex(said["sha256"]))


def _file_name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"a file of the name {name!r}")
    return name


def _hex(value: Any) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError(f"{value!r} where a SHA-256 belongs")
    return value


def _number(value: Any, least: int = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _MOST_ID:
        raise ValueError(f"{value!r} where a number belongs")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("something else than a list")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("something else than an object")
    return value
