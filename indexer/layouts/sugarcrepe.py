"""SugarCrepe (Hsieh et al., 2023): of each picture a true caption and one that was made false, a file a category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.annotations.reading import read_document
from indexer.annotations.records import Annotations, clean_text, file_of, mapping, shown, skipping
from indexer.report import SkippedRecord
from search.errors import ImportFormatError


@dataclass(frozen=True, slots=True)
class CaptionPair:
    """A picture's file, what is true of it, and what is not."""

    category: str
    file: str
    caption: str
    negative: str


@dataclass(slots=True)
class CaptionPairs:
    """All pairs, and the records that are none."""

    pairs: list[CaptionPair] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)


def read_pairs(paths: Sequence[Path]) -> CaptionPairs:
    """Read files such as `swap_obj.json`: `{"0": {"filename", "caption", "negative_caption"}, …}`, or an array of them.

    Raises:
        ImportFormatError: a file is no such JSON, or none of its records can be read.
    """
    found, notes = CaptionPairs(), Annotations()
    for path in paths:
        document, before = read_document(path), len(found.pairs)
        records = enumerate(document) if isinstance(document, list) else mapping(document, path.name).items()
        for key, record in records:
            where = f"{path.name} {shown(key)}"
            with skipping(notes, where):
                found.pairs.append(_pair(path.stem, mapping(record, where), where))
        if len(found.pairs) == before:
            raise ImportFormatError(
                f"{path}: no pair of captions in it",
                remedy='Expected {"0": {"filename": …, "caption": …, "negative_caption": …}, …}.',
            )
    found.skipped = notes.skipped
    return found


def _pair(category: str, record: Mapping[str, Any], where: str) -> CaptionPair:
    caption = clean_text(record.get("caption"), f"{where} caption")
    negative = clean_text(record.get("negative_caption"), f"{where} negative_caption")
    return CaptionPair(category, file_of(record, "filename", where), caption, negative)
