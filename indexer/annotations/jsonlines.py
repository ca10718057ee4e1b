"""Deixis' own annotation format: JSON lines, one picture a line (docs/annotations.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from indexer.annotations.records import (
    Annotations,
    PictureRecord,
    box_from_xyxy,
    clean_text,
    listing,
    mapping,
    numbers,
    size_wh,
    span_of,
)
from search.db.annotations import CaptionFact
from search.errors import ImportFormatError
from vision.types import Region


def read_json_lines(lines: Iterable[str], name: str) -> Annotations:
    """Read one object a line: `file`, and optionally `width`, `height`, `captions`, `regions`.

    Args:
        lines: the file's lines; blank ones are passed over.
        name: the file's name, for messages.
    """
    found = Annotations()
    for number, line in enumerate(lines, start=1):
        where = f"{name}:{number}"
        if not line.strip():
            continue
        try:
            _line(found, mapping(json.loads(line), where), where)
        except (json.JSONDecodeError, RecursionError) as error:
            found.skip(where, "malformed", f"not JSON: {error}")
        except ImportFormatError as error:
            found.skip(where, "malformed", str(error))
    return found


def _line(found: Annotations, record: Mapping[str, Any], where: str) -> None:
    file = record.get("file")
    if not isinstance(file, str) or not file:
        raise ImportFormatError(f"{where} has no file")
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
    language = record.get("language")
    if language is not None and (not isinstance(language, str) or not 1 <= len(language) <= 16):
        raise ImportFormatError(f"{where} language must be a short BCP 47 tag, got {language!r}")
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
