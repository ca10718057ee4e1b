"""Captions that a model wrote: COCO's results format, or any annotation file with captions; one a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.annotations.reading import read_annotations, read_document
from indexer.annotations.records import Annotations, clean_text, each, shown, skipping, whole
from indexer.report import SkippedRecord
from search.errors import ImportFormatError


@dataclass(slots=True)
class WrittenCaptions:
    """A caption by the file of its picture, and the records that are none."""

    by_file: dict[str, str] = field(default_factory=dict)
    skipped: list[SkippedRecord] = field(default_factory=list)


def read_written(path: Path, files: Callable[[], Mapping[int, str]]) -> WrittenCaptions:
    """Read what was written; of several captions of one picture the first.

    Args:
        path: an array of `{"image_id", "caption"}`, or what `deixis import` reads.
        files: gives file names by COCO's picture ids; called only where the file has nothing but ids.

    Raises:
        ImportFormatError: it is neither, or holds no caption.
    """
    found, notes = WrittenCaptions(), Annotations()
    document = None if path.suffix.lower() in {".jsonl", ".ndjson"} else read_document(path)
    if isinstance(document, list):
        names = files()
        for where, record in each(document, path.name, notes):
            with skipping(notes, where):
                _add(found, record, names, where)
    else:
        notes = read_annotations(path)
        found.by_file = {one.file: one.captions[0].text for one in notes.pictures.values() if one.captions}
    if not found.by_file:
        first = f": {notes.skipped[0].where}: {notes.skipped[0].reason}" if notes.skipped else ""
        raise ImportFormatError(
            f"{path}: no caption in it{first}", remedy='Expected [{"image_id": …, "caption": …}, …], or COCO captions.'
        )
    found.skipped = notes.skipped
    return found


def _add(found: WrittenCaptions, record: Mapping[str, Any], names: Mapping[int, str], where: str) -> None:
    image_id = whole(record.get("image_id"), f"{where} image_id")
    if image_id not in names:
        raise ImportFormatError(f"{where} names image {shown(image_id)}, which the references do not list")
    if names[image_id] in found.by_file:
        raise ImportFormatError(f"{where} is a second caption of image {shown(image_id)}")
    found.by_file[names[image_id]] = clean_text(record.get("caption"), f"{where} caption")
