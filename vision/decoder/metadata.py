"""What a picture says about itself: how it was held and when it was taken. Nothing in here may fail a picture."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL import Image

_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_OFFSET_TIME_ORIGINAL = 0x9011

_DATE_TIME = re.compile(r"\s*(\d{4})[:\-/.](\d\d?)[:\-/.](\d\d?)[ T](\d\d?):(\d\d?)(?::(\d\d?))?")
_OFFSET = re.compile(r"\s*([+-])(\d\d):?(\d\d)")


def orientation(picture: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 when there is none, or one that means nothing."""
    try:
        value = picture.getexif().get(_ORIENTATION)
    except Exception:  # hostile EXIF raises whatever it likes; the pixels are still good
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def taken_at(picture: Image.Image) -> datetime | None:
    """When the shutter opened (EXIF DateTimeOriginal); aware when the offset was recorded too."""
    try:
        details = picture.getexif().get_ifd(_EXIF_IFD)
        return parse_taken_at(details.get(_DATE_TIME_ORIGINAL), details.get(_OFFSET_TIME_ORIGINAL))
    except Exception:  # hostile EXIF raises whatever it likes; the pixels are still good
        return None


def parse_taken_at(value: Any, offset: Any = None) -> datetime | None:
    """Read an EXIF time, `YYYY:MM:DD HH:MM:SS`, and its offset, `+HH:MM`, as cameras really write them.

    Returns:
        None for blanks, zeros, impossible dates and anything that is no text; a bad offset only costs the offset.
    """
    match = _DATE_TIME.match(_text(value))
    if match is None:
        return None
    try:
        moment = datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]  # six ints
    except ValueError:
        return None
    return moment.replace(tzinfo=_zone(_text(offset)))


def frames(picture: Image.Image) -> int:
    """How many pictures the file holds; 1 when the count is damaged."""
    try:
        return max(1, int(getattr(picture, "n_frames", 1)))
    except Exception:  # a broken later frame does not spoil the first
        return 1


def _zone(text: str) -> timezone | None:
    match = _OFFSET.match(text)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes >= 24 * 60:
        return None
    return timezone(timedelta(minutes=-minutes if match[1] == "-" else minutes))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", errors="replace")
    return value if isinstance(value, str) else ""
