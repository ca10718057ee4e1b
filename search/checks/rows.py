"""Does each row hold what its table promises: types, encodings, instants, digests, names and ranges."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from sqlalchemy.orm import Session

from search.catalogue.current import KIND as CATALOGUE
from search.checks.finding import VerifyReport
from search.checks.raw import Row, Unreadable, read_rows
from search.db.archives import are_faults
from search.db.facts import fact_key
from search.db.images import display_name, name_key
from search.db.roots import is_below
from search.db.schema import Base
from search.errors import CorruptionError
from search.vectors.live import KINDS, OWNERS
from vision.archives.member import LocatorError
from vision.originals import Original

_DEVICE = re.compile(r"-?\d+|[a-z]+:\S+")
"""A device number, or a token that says more (`indexer.mounts`)."""
_HEX = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def check_rows(session: Session, report: VerifyReport) -> None:
    """Read every row of every table of ours, and name each that cannot be what was written."""
    _check_tables(session, report, tuple(_RULES))


def require_sound_vectors(session: Session) -> None:
    """Make sure that what the database says of vectors can be what was written, before they are judged by it.

    Raises:
        CorruptionError: a row is damaged; names it.
    """
    report = VerifyReport()
    _check_tables(session, report, ("library", "models", "segments", "embeddings"))
    for finding in report.findings:
        raise CorruptionError(f"{finding.where}: {finding.message}", remedy=finding.remedy)


def _check_tables(session: Session, report: VerifyReport, names: tuple[str, ...]) -> None:
    for table in [table for table in Base.metadata.sorted_tables if table.name in names]:
        for row in read_rows(session, table):
            number = row.get("id") if isinstance(row.get("id"), int) else None
            for code, message in problems_of(table.name, row):
                report.add_row(code, table.name, number, message)


Problems: TypeAlias = Iterator[tuple[str, str]]


def problems_of(table: str, row: Row) -> Problems:
    """What is wrong with one row of this table, as `read_rows` gives it: code and message of each thing."""
    unreadable = [f"{name} {value.why}" for name, value in row.items() if isinstance(value, Unreadable)]
    if unreadable:
        yield "row_invalid", "; ".join(unreadable)
    else:
        yield from _RULES[table](row)


def _of_library(row: Row) -> Problems:
    if not re.fullmatch(r"[0-9a-f]{32}", row["uid"]):
        yield "row_invalid", "its uid is not 32 hex digits"


def _of_model(row: Row) -> Problems:
    if not _HEX.fullmatch(row["identity"]):
        yield "row_invalid", "its identity is not 64 hex digits"
    if row["dim"] < 1:
        yield "row_invalid", f"its vectors have {row['dim']} numbers"
    if not isinstance(json.loads(row["facts"]), dict):
        yield "row_invalid", "its facts are no object"


def _of_root(row: Row) -> Problems:
    if not row["path"].startswith((b"/", b"http://", b"https://")) or b"\0" in row["path"]:
        yield "row_invalid", "its path is not absolute"


def _of_image(row: Row) -> Problems:
    for name in ("sha256", "pixels_sha256"):
        if row[name] is not None and not _HEX.fullmatch(row[name]):
            yield "row_invalid", f"its {name} is not 64 hex digits"
    if min(row["width_px"], row["height_px"]) < 1 or row["size_bytes"] < 1 or not row["format"]:
        yield "row_invalid", f"is {row['width_px']}×{row['height_px']} px and {row['size_bytes']} bytes"
    if abs(row["taken_offset_min"] or 0) > 24 * 60:
        yield "row_invalid", f"its clock is {row['taken_offset_min']} minutes from UTC"


def _of_file(row: Row) -> Problems:
    path = row["path"].decode("utf-8", "surrogateescape")
    if not path.startswith(("/", "http://", "https://")) or "\0" in path:
        yield "row_invalid", "its path is not absolute"
    elif not _is_held(path, row["held"]):
        yield "row_invalid", "it does not say where its bytes are"
    elif row["name"] != display_name(path) or row["name_key"] not in (None, name_key(path)):
        yield "row_invalid", "its name is not the last part of its path"
    if row["size_bytes"] < 0 or not _DEVICE.fullmatch(row["device"]):
        yield "row_invalid", f"has {row['size_bytes']} bytes on the device {row['device'][:20]!r}"
    if row["state"] not in ("indexed", "refused", "missing"):
        yield "row_invalid", f"its state is {row['state']!r}"
    elif (row["state"] == "indexed" and row["image_id"] is None) or (row["state"] == "refused" and not row["reason"]):
        yield "row_invalid", f"is {row['state']} without saying as what or why"


def _is_held(path: str, held: str | None) -> bool:
    try:
        original = Original.of(path, held, "/")
    except LocatorError:
        return False
    return held is not None and held.startswith("kept ") if "://" in path[:8] else is_below(path, original.file)


def _of_archive(row: Row) -> Problems:
    if not row["path"].startswith(b"/") or not _HEX.fullmatch(row["rules_sha256"]) or row["members"] < 0:
        yield "row_invalid", "its path is not absolute, or what was read of it is senseless"
    elif not are_faults(json.loads(row["faults"])):
        yield "row_invalid", "its faults are no names with reasons"


def _of_fact(row: Row) -> Problems:
    yield from _of_source(row)
    text, key, number = row["text"], row["key"], row["number"]
    if (text is None) == (number is None) or (number is not None and not math.isfinite(number)):
        yield "row_invalid", f"says {text!r} and {number!r}"
    elif key != (None if text is None else fact_key(text)):
        yield "row_invalid", "its key is not that of its text"


def _of_text(row: Row) -> Problems:
    if hashlib.sha256(row["body"].encode()).hexdigest() != row["sha256"]:
        yield "text_digest", "is not what was written: its digest is another one"


def _of_caption(row: Row) -> Problems:
    yield from _of_source(row)
    if row["language"] is not None and not _LANGUAGE.fullmatch(row["language"]):
        yield "row_invalid", f"its language is {row['language']!r}"


def _of_source(row: Row) -> Problems:
    if not row["source"].strip():
        yield "row_invalid", "names no source"


def _of_caption_generation(row: Row) -> Problems:
    yield from _of_source(row)
    if row["detail"] not in (None, "brief", "detailed") or not 0 <= row["token"] < 2**40:
        yield "row_invalid", f"its detail is {row['detail']!r}"


def _of_region(row: Row) -> Problems:
    yield from _of_source(row)
    x0, y0, x1, y1 = (row[name] for name in ("x0", "y0", "x1", "y1"))
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        yield "row_invalid", f"its box is {x0:g}, {y0:g}, {x1:g}, {y1:g}"
    start, end = row["span_start"], row["span_end"]
    spanned = start is not None and end is not None
    if (start is None) != (end is None) or (spanned and not (0 <= start < end and row["caption_id"] is not None)):
        yield "row_invalid", f"its span is {start} to {end}"


def _of_reading(row: Row) -> Problems:
    yield from _of_source(row)
    if row["lines"] < 0:
        yield "row_invalid", f"has {row['lines']} lines"


def _of_read_word(row: Row) -> Problems:
    if not row["word"].strip():
        yield "row_invalid", "is no word"


def _of_segment(row: Row) -> Problems:
    yield from _of_kind(row)
    if row["committed_rows"] < 0 or row["committed_bytes"] < 0 or "/" in row["file_name"]:
        yield "row_invalid", f"{row['file_name']!r} is said to have {row['committed_rows']} rows"


def _of_embedding(row: Row) -> Problems:
    yield from _of_kind(row)
    if sum(row[owner.key] is not None for owner in OWNERS.values()) > 1:
        yield "row_invalid", "has two owners"


def _of_generation(row: Row) -> Problems:
    yield from _of_kind(row, (*KINDS, CATALOGUE))
    if not (_HEX.fullmatch(row["sha256"]) and _HEX.fullmatch(row["ids_sha256"])) or "/" in row["file_name"]:
        yield "row_invalid", "its digests are not 64 hex digits"


def _of_calibration(row: Row) -> Problems:
    if not isinstance(json.loads(row["facts"]), dict):
        yield "row_invalid", "its facts are no object"


def _of_job(row: Row) -> Problems:
    if not isinstance(json.loads(row["arguments"]), dict):
        yield "row_invalid", "its arguments are no object"
    for name in ("progress", "report"):
        if row[name] is not None and not isinstance(json.loads(row[name]), dict | type(None)):
            yield "row_invalid", f"its {name} is no object"
    if min(row["token"], row["attempts"], row["crashes"]) < 0:
        yield "row_invalid", "it counts less than nothing"


def _of_event(row: Row) -> Problems:
    if not row["what"]:
        yield "row_invalid", "it says nothing"


def _of_suspect(row: Row) -> Problems:
    if not _HEX.fullmatch(row["item"]) or row["crashes"] < 1:
        yield "row_invalid", "it names no picture, or no crash"


def _of_key(row: Row) -> Problems:
    if not _HEX.fullmatch(row["sha256"]) or not row["name"]:
        yield "row_invalid", "it has no name, or its digest is not 64 hex digits"


def _of_kind(row: Row, kinds: Sequence[str] = KINDS) -> Problems:
    if row["kind"] not in kinds:
        yield "row_invalid", f"its kind is {row['kind']!r}"


_RULES: dict[str, Callable[[Row], Problems]] = {
    "library": _of_library,
    "models": _of_model,
    "roots": _of_root,
    "images": _of_image,
    "files": _of_file,
    "archives": _of_archive,
    "facts": _of_fact,
    "texts": _of_text,
    "caption_generations": _of_caption_generation,
    "captions": _of_caption,
    "regions": _of_region,
    "readings": _of_reading,
    "read_words": _of_read_word,
    "segments": _of_segment,
    "embeddings": _of_embedding,
    "generations": _of_generation,
    "calibrations": _of_calibration,
    "jobs": _of_job,
    "job_events": _of_event,
    "suspects": _of_suspect,
    "access_keys": _of_key,
}
