"""What both databases can hold: values from outside are held against these limits, here and nowhere else."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from vision.errors import DeixisError
from vision.types import Box

INT32_MAX = 2**31 - 1
"""`Integer` of Postgres; SQLite would hold more."""

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
"""`BigInteger` of both."""

FIRST_INSTANT = datetime(1, 1, 2, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 30, tzinfo=UTC)
"""A day within the calendar on both sides, so that every instant has a local time wherever it is shown or fetched."""

_EAST_MOST, _WEST_MOST = timedelta(hours=14), timedelta(hours=-12)
"""No clock on Earth stands further from UTC."""

MAX_PATH_BYTES = 2600
"""An entry of a Postgres index holds 2,704 bytes; Linux itself refuses a path of more than 4,095."""

MAX_TEXT_CHARS = 10_000
"""Longer captions are refused: no captioner writes them, and full-text columns have limits."""

MAX_LANGUAGE_CHARS = 16
MAX_SOURCE_CHARS = 64
MAX_FORMAT_CHARS = 16
MAX_NOTE_CHARS = 1000
"""Of a reason or a remark: people read it."""

MIN_SIDE = 1e-6
"""Of a box, as a share of the picture's: what is narrower is no area, and a column of 32 bits would round it away."""

_UNHOLDABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, which Postgres refuses in a text, and halves of surrogate pairs, which UTF-8 cannot spell."""

_LANGUAGE = re.compile(r"[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8})*")


class UnstorableError(DeixisError):
    """A value from outside that no column can hold."""


def int64(value: int) -> int:
    """The nearest number of 64 bits: a file time of the year 3000 in nanoseconds is the last one that there is."""
    return min(INT64_MAX, max(INT64_MIN, value))


def instant(moment: datetime | None) -> datetime | None:
    """An instant in UTC; None for what lies outside the calendar: an absurd date is an unknown one.

    Args:
        moment: aware, or read as UTC.
    """
    if moment is None:
        return None
    try:
        moved = moment.replace(tzinfo=UTC) if moment.utcoffset() is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return moved if FIRST_INSTANT <= moved <= LAST_INSTANT else None


def clock(moment: datetime | None) -> datetime | None:
    """A camera's time with the offset that it named, or without one where no clock on Earth has that offset."""
    offset = None if moment is None else moment.utcoffset()
    if moment is None or offset is None or _WEST_MOST <= offset <= _EAST_MOST:
        return moment
    return moment.replace(tzinfo=None)


def is_holdable(text: str) -> bool:
    """Whether both databases can hold the text as it is."""
    return _UNHOLDABLE.search(text) is None


def holdable(text: str, max_chars: int | None = None) -> str:
    """The text with U+FFFD for what no database holds, cut to `max_chars`."""
    return _UNHOLDABLE.sub("\ufffd", text[:max_chars])


def language_tag(tag: str) -> str | None:
    """A language tag that fits its column, without the last of its parts where it is longer; None for none."""
    if not _LANGUAGE.fullmatch(tag):
        return None
    while len(tag) > MAX_LANGUAGE_CHARS:
        tag = re.split("[-_][^-_]*$", tag)[0]
    return tag


def share(score: float | None) -> float | None:
    """A confidence in [0, 1]; None for what is none, as a score of NaN would be."""
    return float(score) if score is not None and math.isfinite(score) and 0.0 <= score <= 1.0 else None


def has_area(box: Box) -> bool:
    """Whether a box is wide and high enough to be one after any column has rounded it."""
    return box.x1 - box.x0 >= MIN_SIDE and box.y1 - box.y0 >= MIN_SIDE
