"""Recognise an annotation file by what it holds, and read it."""

from __future__ import annotations

import json
from pathlib import Path

from indexer.annotations.coco import read_coco, read_grounding
from indexer.annotations.jsonlines import read_json_lines
from indexer.annotations.records import Annotations
from search.errors import ImportFormatError

_EXPECTED = (
    "Expected COCO captions or instances ({images, annotations}), an array of grounding pairs, "
    "or JSON lines with one picture a line; docs/annotations.md shows each."
)


def read_annotations(path: Path) -> Annotations:
    """Read an annotation file of any known format.

    Raises:
        ImportFormatError: it cannot be read, or is of no format that Deixis knows.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"{path}: not UTF-8 text (byte {error.start})", remedy=_EXPECTED) from error
    except OSError as error:
        raise ImportFormatError(f"{path}: {error.strerror}", remedy="Check the path.") from error
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        return read_json_lines(text.split("\n"), path.name)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ImportFormatError(
            f"{path}:{error.lineno}: not JSON: {error.msg}",
            remedy="Name a file of JSON lines .jsonl to have it read as such.",
        ) from error
    except RecursionError as error:
        raise ImportFormatError(f"{path}: nested too deeply", remedy=_EXPECTED) from error
    if isinstance(document, dict) and "images" in document and "annotations" in document:
        return read_coco(document, path.name)
    if isinstance(document, list) and document and isinstance(document[0], dict) and "phrase" in document[0]:
        return read_grounding(document, path.name)
    raise ImportFormatError(f"{path}: not an annotation file that Deixis knows", remedy=_EXPECTED)
