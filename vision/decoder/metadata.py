"""What a picture says about itself: how it was held and when it was taken. Nothing in here may fail a picture."""

from __future__ import annotations

import contextlib
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL import Image

_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_DATE_TIME_ORIGINAL = 0x9003
_OFFSET_TIME_ORIGINAL = 0x9011
_GPS_IFD = 0x8825
_GPS_TIME, _GPS_DATE = 7, 29

_YEARS = range(1826, 2200)
"""From the first photograph that is preserved; a clock that shows another year was never set."""

_MOST_OFFSET = timedelta(hours=14)  # the Line Islands
_HALF_HOUR_S = 1800
_FIX_S = 120
"""The receiver's time and the camera's may differ by so much before the one says nothing about the other."""

_DATE_TIME = re.compile(r"\s*(\d{4})[:\-/.](\d\d?)[:\-/.](\d\d?)[ T](\d\d?):(\d\d?)(?::(\d\d?))?")
_OFFSET = re.compile(r"\s*([+-])(\d\d):?(\d\d)")


def exif_of(picture: Image.Image) -> Image.Exif:
    """The picture's EXIF; empty when there is none, or none that can be read."""
    try:
        return picture.getexif()
    except Exception:  # hostile EXIF raises whatever it likes; the pixels are still good
        return Image.Exif()


def exif_from(data: bytes) -> Image.Exif:
    """Read EXIF that lies in a file as TIFF does; empty when it cannot be read."""
    exif = Image.Exif()
    with contextlib.suppress(Exception):  # as above
        exif.load(data)
    return exif


def orientation(exif: Image.Exif) -> int:
    """EXIF orientation, 1 to 8; 1 when there is none, or one that means nothing."""
    try:
        value = exif.get(_ORIENTATION)
    except Exception:  # hostile EXIF raises whatever it likes; the pixels are still good
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def taken_at(exif: Image.Exif) -> datetime | None:
    """When the shutter opened (EXIF DateTimeOriginal); aware when the offset is known too.

    The offset is recorded (OffsetTimeOriginal) or follows from the satellites' time, which is UTC.
    """
    try:
        details = exif.get_ifd(_EXIF_IFD)
        moment = parse_taken_at(details.get(_DATE_TIME_ORIGINAL), details.get(_OFFSET_TIME_ORIGINAL))
    except Exception:  # hostile EXIF raises whatever it likes; the pixels are still good
        return None
    if moment is None or moment.tzinfo is not None:
        return moment
    try:
        place = exif.get_ifd(_GPS_IFD)
        return with_offset_from_gps(moment, place.get(_GPS_DATE), place.get(_GPS_TIME))
    except Exception:  # as above
        return moment


def with_offset_from_gps(moment: datetime, date: Any, time: Any) -> datetime:
    """Give a local time the offset that the satellites' time implies.

    Args:
        moment: naive.
        date: EXIF GPSDateStamp, `YYYY:MM:DD`.
        time: EXIF GPSTimeStamp, three numbers.

    Returns:
        The moment as it was where the two do not differ by a whole number of half hours, give or take two minutes: the
        receiver may remember a place from hours ago.
    """
    try:
        hours, minutes, seconds = (float(part) for part in time)
        day = datetime.strptime(_text(date).strip("\x00 "), "%Y:%m:%d")
        apart = moment - day - timedelta(hours=hours, minutes=minutes, seconds=seconds)
        halves = round(apart.total_seconds() / _HALF_HOUR_S)
    except (TypeError, ValueError, ArithmeticError):
        return moment
    offset = timedelta(seconds=halves * _HALF_HOUR_S)
    if abs(apart - offset).total_seconds() > _FIX_S or abs(offset) > _MOST_OFFSET:
        return moment
    return moment.replace(tzinfo=timezone(offset))


def parse_taken_at(value: Any, offset: Any = None) -> datetime | None:
    """Read an EXIF time, `YYYY:MM:DD HH:MM:SS`, and its offset, `+HH:MM`, as cameras really write them.

    Returns:
        None for blanks, zeros, impossible or absurd dates and anything that is no text; a bad offset only costs
        itself.
    """
    match = _DATE_TIME.match(_text(value))
    if match is None:
        return None
    try:
        moment = datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]  # six ints
    except ValueError:
        return None
    return moment.replace(tzinfo=_zone(_text(offset))) if moment.year in _YEARS else None


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
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    if offset > _MOST_OFFSET:
        return None
    return timezone(-offset if match[1] == "-" else offset)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", errors="replace")
    return value if isinstance(value, str) else ""
