"""A model folder on disk: its JSON files read with names in the errors, and its content as one revision."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import platformdirs

from vision.errors import ModelError, ModelMissingError
from vision.faults import explain_fault
from vision.opening import open_regular
from vision.whole_files import write_whole

if TYPE_CHECKING:
    from vision.preprocessing import Preprocessing

_LOG = logging.getLogger(__name__)
# Below this size hashing is faster than asking a cache (measured: SHA-256 at 1.3 GB/s per core, so 50 ms).
_CACHED_FROM_BYTES = 64 << 20

TOKENIZER_FILES = (
    "added_tokens.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "spiece.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
)
PREPROCESSING_FILES = ("preprocessor_config.json", "processor_config.json")


def folder_named(model: str) -> tuple[Path, Literal["folder", "file", "nothing"]]:
    """What a name leads to when it is taken for a path; any text may be asked about, however long or strange."""
    path = Path(os.path.expanduser(model))
    try:
        return path, "folder" if path.is_dir() else "file" if path.exists() else "nothing"
    except OSError:  # longer than a file system allows, or behind a closed door
        return path, "nothing"


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """Read one JSON object of a model folder.

    Raises:
        ModelMissingError: the file is not there.
        ModelError: it is not a JSON object, or cannot be read.
    """
    path = folder / name
    try:
        with open_regular(path) as file:
            content = json.loads(file.read().decode("utf-8"))
    except FileNotFoundError as error:
        raise ModelMissingError(
            f"{folder}: {name} is missing", remedy="Copy the model's whole folder, not the weights alone."
        ) from error
    except OSError as error:
        told = explain_fault(error, f"{path} cannot be read")
        raise ModelError(str(told.args[0]) if told else str(error), remedy=told.remedy if told else "") from error
    except ValueError as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}", remedy="Fetch this file again.") from error
    if not isinstance(content, dict):
        raise ModelError(
            f"{path}: expected a JSON object, got {type(content).__name__}", remedy="Fetch this file again."
        )
    return content


def read_preprocessing(
    folder: Path, *, long_edge: Literal["floor", "nearest"] = "floor", squash_px: int | None = None
) -> Preprocessing:
    """Read how images are prepared, from `preprocessor_config.json` or its newer form `processor_config.json`.

    Args:
        folder: the model folder.
        long_edge: the backend's rounding of the long side, see `Preprocessing`.
        squash_px: side of a square to squash to, whatever the file says of size and crop; None to follow the file.

    Raises:
        ModelError: neither is there, or a field is missing or malformed.
    """
    from vision.preprocessing import preprocessing_from_config  # noqa: PLC0415  # with numpy, which naming needs not

    if not (folder / "preprocessor_config.json").is_file() and (folder / "processor_config.json").is_file():
        config = read_json(folder, "processor_config.json").get("image_processor")
    else:
        config = read_json(folder, "preprocessor_config.json")
    try:
        if squash_px is not None:
            size = {"height": squash_px, "width": squash_px}
            config = {**config, "do_resize": True, "size": size, "do_center_crop": False}  # type: ignore[dict-item]  # as below
        return preprocessing_from_config(config, long_edge=long_edge)  # type: ignore[arg-type]  # a missing section raises the TypeError below
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{folder}: the image processor's configuration cannot be used: {error!r}",
            remedy="Fetch preprocessor_config.json again.",
        ) from error


def content_revision(
    folder: Path, names: Iterable[str], *, notes: Path | None = None, settled_after_s: float = 2.0
) -> str:
    """SHA-256 over the names and contents of the files that shape the embeddings, first 40 hex digits.

    The digest of a large file is remembered in the user's cache folder under its path, size, inode and times; where
    that folder cannot be written, the file is hashed at every start (about 0.8 s per GB) and a warning is logged.

    Args:
        folder: the model folder.
        names: files relative to it; those that do not exist are left out.
        notes: where digests of large files are remembered; None for the user's cache folder.
        settled_after_s: age in seconds below which a file's digest is not remembered, because it may change again
            within one tick of its timestamp.
    """
    kept = notes or Path(platformdirs.user_cache_dir("deixis")) / "digests"
    total = hashlib.sha256()
    for name in sorted(set(names)):
        path = folder / name
        if path.is_file():
            total.update(f"{name}\0{_file_digest(path, kept, settled_after_s)}\n".encode())
    return total.hexdigest()[:40]


def _file_digest(path: Path, notes: Path, settled_after_s: float) -> str:
    facts = path.stat()
    if facts.st_size < _CACHED_FROM_BYTES:
        return _hash(path)
    stamp = (os.path.realpath(path), facts.st_size, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns)
    key = hashlib.sha256(repr(stamp).encode()).hexdigest()
    remembered = notes / key
    try:
        digest = remembered.read_text(encoding="ascii")
        if len(digest) == 64 and int(digest, 16) >= 0:
            return digest
    except (OSError, ValueError):  # never hashed, or a damaged note: hash it now
        pass
    digest = _hash(path)
    if time.time() - max(facts.st_mtime, facts.st_ctime) > settled_after_s:
        _remember(remembered, digest)
    return digest


def _hash(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remember(note: Path, digest: str) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, digest, lasting=False)
    except OSError as error:
        _LOG.warning("cannot remember a model's digest, so it is hashed at every start: %s", error)
