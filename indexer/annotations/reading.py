"""Recognise an annotation file by what it holds, and read it."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from indexer.annotations.coco import read_coco, read_grounding
from indexer.annotations.jsonlines import read_json_lines
from indexer.annotations.karpathy import is_karpathy, read_karpathy
from indexer.annotations.parsing import parse_json
from indexer.annotations.records import Annotations
from search.errors import ImportFormatError

_EXPECTED = (
    "Expected COCO captions or instances ({images, annotations}), Karpathy's splits, an array of grounding pairs, "
    "or JSON lines with one picture a line; docs/annotations.md shows each."
)


_FOREIGN = (
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first: gunzip FILE."),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it first, and name the files inside."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first: unzstd FILE."),
    (codecs.BOM_UTF16_LE, "UTF-16 text, not UTF-8", "Save it as UTF-8."),
    (codecs.BOM_UTF16_BE, "UTF-16 text, not UTF-8", "Save it as UTF-8."),
)


def read_annotations(path: Path, split: str | None = None) -> Annotations:
    """Read an annotation file of any known format.

    Args:
        split: of a file that has splits (Karpathy's), the one to read; None for all of it.

    Raises:
        ImportFormatError: it cannot be read, is of no format that Deixis knows, or has no such split.
    """
    data = read_file(path)
    if path.suffix.lower() in {".jsonl", ".ndjson"} and split is None:
        return read_json_lines(data.split(b"\n"), path.name)
    document = _document(data, path)
    if is_karpathy(document):
        return read_karpathy(document, path.name, split)
    if split is not None:
        raise ImportFormatError(f"{path}: has no splits", remedy="Leave --split out; Karpathy's files have splits.")
    if isinstance(document, dict) and "images" in document and "annotations" in document:
        return read_coco(document, path.name)
    if isinstance(document, list) and any(isinstance(pair, dict) and "phrase" in pair for pair in document):
        return read_grounding(document, path.name)
    raise ImportFormatError(f"{path}: not an annotation file that Deixis knows", remedy=_EXPECTED)


def read_file(path: Path) -> bytes:
    """What a text file holds, without its byte order mark.

    Raises:
        ImportFormatError: it cannot be read, or is compressed or UTF-16.
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # a NUL in the path is a ValueError
        raise ImportFormatError(f"{path}: {getattr(error, 'strerror', error)}", remedy="Check the path.") from error
    for mark, what, remedy in _FOREIGN:
        if data.startswith(mark):
            raise ImportFormatError(f"{path}: {what}", remedy=remedy)
    return data.removeprefix(codecs.BOM_UTF8)


def read_document(path: Path) -> Any:
    """The one JSON document that a file holds.

    Raises:
        ImportFormatError: it cannot be read, or is no JSON.
    """
    return _document(read_file(path), path)


def _document(data: bytes, path: Path) -> Any:
    try:
        return parse_json(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ImportFormatError(
            f"{path}:{line}: not UTF-8 text (byte {error.start})", remedy="Save it as UTF-8."
        ) from error
    except json.JSONDecodeError as error:
        cut = "; the file ends there, as if it had been cut off" if error.pos >= len(error.doc.rstrip()) else ""
        raise ImportFormatError(
            f"{path}:{error.lineno}: not JSON: {error.msg}{cut}",
            remedy="Name a file of JSON lines .jsonl to have it read as such.",
        ) from error
