"""How commands speak: tables and sentences for people, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from deixis.plain import plain

if TYPE_CHECKING:
    from rich.console import Console


def out() -> Console:
    """The console for results."""
    from rich.console import Console  # noqa: PLC0415  # a program that prints JSON has no use for it

    return Console(highlight=False, markup=False, soft_wrap=True)


def err() -> Console:
    """The console for progress and complaints."""
    from rich.console import Console  # noqa: PLC0415  # as above

    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, whole or not at all; what the output cannot encode is escaped."""
    known = plain(value)
    document = json.dumps(known, ensure_ascii=False, indent=2, allow_nan=False)
    try:
        document.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # Not left to the stream's own escapes: they are Python's, and some of them are none of JSON's.
        document = json.dumps(known, ensure_ascii=True, indent=2, allow_nan=False)
    sys.stdout.write(document + "\n")


def duration(seconds: float) -> str:
    """A time as people say it: `12 ms`, `3.4 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def rate(count: int, seconds: float) -> str:
    """` (4.2/s)`, or nothing where too little was done to speak of a speed."""
    if count < 10 or seconds < 0.5:
        return ""
    speed = count / seconds
    return f" ({speed:.1f}/s)" if speed >= 1 else f" ({1 / speed:.1f} s each)"


def byte_count(count: int) -> str:
    """An amount of bytes as people say it: `812 bytes`, `3.4 MB`."""
    if count < 1000:
        return f"{count} bytes"
    power = next((power for power in (1, 2, 3) if count < 999.95 * 1000**power), 4)
    return f"{count / 1000**power:.1f} {' kMGT'[power]}B"


def printable(path: str) -> str:
    """A path as valid text: undecodable bytes become U+FFFD, control characters are shown, not obeyed."""
    text = os.fsencode(path).decode("utf-8", "replace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
