"""Deixis' own annotation format: JSON lines, one picture a line (docs/annotations.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from indexer.annotations.parsing import parse_json
from indexer.annotations.records import (
    Annotations,
    PictureRecord,
    box_from_xyxy,
    clean_text,
    file_of,
    language_of,
    listing,
    mapping,
    numbers,
    size_wh,
    skipping,
    span_of,
)
from indexer.annotations.xm3600 import is_xm3600, read_xm3600
from search.db.annotations import CaptionFact
from search.errors import ImportFormatError
from vision.types import Region


def read_json_lines(lines: Iterable[bytes], name: str) -> Annotations:
    """Read one object a line: `file`, and optionally `width`, `height`, `captions`, `regions`.

    Args:
        lines: the file's lines; blank ones are passed over, and a wrong one never keeps the next from being read.
        name: the file's name, for messages.
    """
    found = Annotations()
    for number, line in enumerate(lines, start=1):
        where = f"{name}:{number}"
        if not line.strip():
            continue
        with skipping(found, where):
            record = mapping(_parsed(line, where), where)
            if is_xm3600(record):
                read_xm3600(record, where, found)
            else:
                _line(found, record, where)
    return found


def _parsed(line: bytes, where: str) -> Any:
    try:
        return parse_json(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"{where} is not UTF-8 text (byte {error.start} of the line)") from error
    except json.JSONDecodeError as error:
        raise ImportFormatError(f"{where} is not JSON: {error}") from error


def _line(found: Annotations, record: Mapping[str, Any], where: str) -> None:
    file = file_of(record, "file", where)
    # A line that is wrong somewhere is skipped as a whole: half a line would look like all of it.
    captions = [
        _caption(entry, f"{where} captions[{number}]")
        for number, entry in enumerate(listing(record.get("captions", []), f"{where} captions"))
    ]
    loose = [
        _region(entry, f"{where} regions[{number}]")
        for number, entry in enumerate(listing(record.get("regions", []), f"{where} regions"))
    ]
    picture: PictureRecord = found.picture(file, size_wh(record, where))
    picture.captions += captions
    picture.loose += loose


def _caption(entry: Any, where: str) -> CaptionFact:
    record = mapping(entry, where)
    raw = record.get("text")
    text = clean_text(raw, f"{where} text")
    phrases = listing(record.get("phrases", []), f"{where} phrases")
    assert isinstance(raw, str)  # clean_text has checked it
    language = language_of(record.get("language"), f"{where} language")
    regions: list[Region] = []
    for number, phrase in enumerate(phrases):
        regions += _phrase(mapping(phrase, f"{where} phrases[{number}]"), raw, text, f"{where} phrases[{number}]")
    return CaptionFact(text, language, tuple(regions))


def _phrase(record: Mapping[str, Any], raw: str, caption: str, where: str) -> list[Region]:
    span = span_of(record.get("span"), raw, f"{where} span")
    phrase = caption[span.start : span.end]
    boxes = listing(record.get("boxes"), f"{where} boxes")
    score = _score(record, where)
    return [Region(phrase, box_from_xyxy(box, f"{where} boxes[{n}]"), span, score) for n, box in enumerate(boxes)]


def _region(entry: Any, where: str) -> Region:
    record = mapping(entry, where)
    phrase = clean_text(record.get("phrase"), f"{where} phrase")
    return Region(phrase, box_from_xyxy(record.get("box"), f"{where} box"), score=_score(record, where))


def _score(record: Mapping[str, Any], where: str) -> float | None:
    if record.get("score") is None:
        return None
    (score,) = numbers([record["score"]], 1, f"{where} score")
    if not 0.0 <= score <= 1.0:
        raise ImportFormatError(f"{where} score must lie in [0, 1], got {score}")
    return score
