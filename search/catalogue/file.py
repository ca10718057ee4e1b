"""The file of a catalogue: arrays one behind the other, each at a multiple of 64 bytes, mapped into memory."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.catalogue.build import Marks
from search.catalogue.catalogue import Catalogue, Links
from search.catalogue.words import WordIndex
from search.errors import CorruptionError
from search.vectors.durable import writing_to
from vision.whole_files import whole_file

MAGIC = b"DXCT"
VERSION = 1
_HEAD = struct.Struct("<4sII")
_ALIGN = 64
_REBUILD = "Run `deixis rebuild`: it makes the catalogue again from the rows."


def save_catalogue(catalogue: Catalogue, marks: Marks, path: Path) -> tuple[str, int]:
    """Write a catalogue to a new file.

    Returns:
        SHA-256 (hex) and size in bytes.

    Raises:
        LibraryError: the file cannot be written; nothing is left behind.
    """
    arrays = _arrays(catalogue)
    entries, offset = [], 0
    for name, array in arrays.items():
        entries.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape), "offset": offset})
        offset += -(-array.nbytes // _ALIGN) * _ALIGN
    header = json.dumps({"marks": asdict(marks), "arrays": entries}).encode()
    head = _HEAD.pack(MAGIC, VERSION, len(header)) + header
    head += bytes(-len(head) % _ALIGN)
    digest = hashlib.sha256()
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            for piece in (head, *(_padded(array) for array in arrays.values())):
                digest.update(piece)
                file.write(piece)
            size_bytes = file.tell()
    return digest.hexdigest(), size_bytes


def load_catalogue(path: Path, sha256: str) -> tuple[Catalogue, Marks]:
    """Map a catalogue into memory after checking every byte of its file.

    Raises:
        FileNotFoundError: there is no such file; the caller knows whether a newer one has replaced it.
        CorruptionError: the file is not the one that was written.
    """
    with open(path, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise CorruptionError(f"The catalogue {path.name} is not what was written", remedy=_REBUILD)
        mapped = np.memmap(file, np.uint8, "r")
    magic, version, length = _HEAD.unpack(mapped[: _HEAD.size].tobytes())
    if (magic, version) != (MAGIC, VERSION):
        raise CorruptionError(f"The catalogue {path.name} has the form of another version", remedy=_REBUILD)
    header = json.loads(mapped[_HEAD.size : _HEAD.size + length].tobytes())
    start = -(-(_HEAD.size + length) // _ALIGN) * _ALIGN
    arrays = {entry["name"]: _mapped(mapped, start, entry) for entry in header["arrays"]}
    return _catalogue(arrays), Marks(**header["marks"])


def _padded(array: NDArray[Any]) -> bytes:
    raw = array.tobytes()
    return raw + bytes(-len(raw) % _ALIGN)


def _mapped(mapped: NDArray[np.uint8], start: int, entry: dict[str, Any]) -> NDArray[Any]:
    dtype, offset = np.dtype(entry["dtype"]), start + entry["offset"]
    count = int(np.prod(entry["shape"]))
    return np.frombuffer(mapped, dtype, count, offset).reshape(entry["shape"]) if count else np.empty(0, dtype)


def _arrays(catalogue: Catalogue) -> dict[str, NDArray[Any]]:
    return {
        "images": catalogue.images,
        "image_vectors": catalogue.image_vectors,
        "doc_kind": catalogue.doc_kind,
        "doc_id": catalogue.doc_id,
        "doc_vectors": catalogue.doc_vectors,
        "documents.starts": catalogue.documents.starts,
        "documents.rows": catalogue.documents.rows,
        "pictures.starts": catalogue.pictures.starts,
        "pictures.rows": catalogue.pictures.rows,
        "words.keys": catalogue.words.keys,
        "words.starts": catalogue.words.starts,
        "words.rows": catalogue.words.rows,
        "words.counts": catalogue.words.counts,
        "words.lengths": catalogue.words.lengths,
    }


def _catalogue(arrays: dict[str, NDArray[Any]]) -> Catalogue:
    return Catalogue(
        images=arrays["images"],
        image_vectors=arrays["image_vectors"],
        doc_kind=arrays["doc_kind"],
        doc_id=arrays["doc_id"],
        doc_vectors=arrays["doc_vectors"],
        documents=Links(arrays["documents.starts"], arrays["documents.rows"]),
        pictures=Links(arrays["pictures.starts"], arrays["pictures.rows"]),
        words=WordIndex(*(arrays[f"words.{name}"] for name in ("keys", "starts", "rows", "counts", "lengths"))),
    )
