"""A camera's clock is read as cameras really write it, and nothing in EXIF can harm."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.vision.decoder.conftest import Reader
from tests.vision.decoder.pictures import dated, encoded, upright
from vision.decoder.metadata import parse_taken_at, with_offset_from_gps

NOON = datetime(2024, 3, 1, 12, 30, 5)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_the_moment_is_found_in_every_format_that_has_exif(reader: Reader, kind: str) -> None:
    decoded = reader.decoded(dated(kind, "2024:03:01 12:30:05", "+02:00"))
    assert decoded.taken_at == NOON.replace(tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024:03:01 12:30:05", NOON),
        ("2024-03-01 12:30:05", NOON),
        ("2024-03-01T12:30:05", NOON),
        ("2024/03/01 12:30:05", NOON),
        ("2024:03:01 12:30:05\x00", NOON),
        (b"2024:03:01 12:30:05\x00", NOON),
        ("  2024:03:01 12:30:05.123", NOON),
        ("2024:03:01 12:30", NOON.replace(second=0)),
        ("2024:3:1 12:30:5", NOON),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("2024:02:30 12:00:00", None),
        ("2024:03:01 24:00:00", None),
        ("0001:01:01 00:00:00", None),
        ("9999:12:31 23:59:59", None),
        ("1601:01:01 00:00:00", None),
        ("1899:06:01 10:00:00", datetime(1899, 6, 1, 10)),
        ("2024:03:01", None),
        ("yesterday", None),
        ("", None),
        (b"\xff\xfe\x00", None),
        (None, None),
        (20240301, None),
        (("2024:03:01 12:30:05",), None),
    ],
)
def test_moments_are_read_in_the_spellings_that_occur(value: Any, expected: datetime | None) -> None:
    assert parse_taken_at(value) == expected


@pytest.mark.parametrize(
    ("offset", "minutes"),
    [
        ("+09:00", 540),
        ("-03:30", -210),
        ("+0200", 120),
        ("+00:00", 0),
        (b"-05:00\x00", -300),
        ("", None),
        ("   :  ", None),
        ("+99:99", None),
        ("+14:00", 840),
        ("+15:00", None),
        ("-23:59", None),
        ("Z+", None),
        (7, None),
        (None, None),
    ],
)
def test_an_offset_makes_the_moment_aware_and_a_bad_one_costs_only_itself(offset: Any, minutes: int | None) -> None:
    moment = parse_taken_at("2024:03:01 12:30:05", offset)
    assert moment is not None
    assert moment.replace(tzinfo=None) == NOON
    assert moment.utcoffset() == (None if minutes is None else timedelta(minutes=minutes))


@given(st.one_of(st.text(), st.binary()), st.one_of(st.none(), st.text(), st.binary()))
def test_no_text_at_all_can_make_it_fail(value: str | bytes, offset: str | bytes | None) -> None:
    moment = parse_taken_at(value, offset)
    assert moment is None or datetime.fromisoformat(moment.isoformat()) == moment


@pytest.mark.parametrize(
    ("date", "time", "minutes"),
    [
        ("2024:03:01", (10, 30, 5), 120),
        ("2024:03:01", (10.0, 29.0, 1.5), 120),
        ("2024:03:01", (7, 0, 30), 330),
        ("2024:03:02", (0, 0, 30), -690),
        ("2024:02:29", (22, 30, 0), 840),
        ("2024:03:01", (12, 30, 5), 0),
        ("2024:03:01", (10, 17, 0), None),
        ("2024:02:28", (10, 30, 5), None),
        ("", (10, 30, 5), None),
        ("2024:13:45", (10, 30, 5), None),
        (None, None, None),
        ("2024:03:01", (10, 30), None),
        ("2024:03:01", ("x", 0, 0), None),
        ("2024:03:01", (float("nan"), 0, 0), None),
        ("2024:03:01", (1e300, 0, 0), None),
    ],
)
def test_the_satellites_time_tells_the_offset_or_nothing(date: Any, time: Any, minutes: int | None) -> None:
    moment = with_offset_from_gps(NOON, date, time)
    assert moment.replace(tzinfo=None) == NOON
    assert moment.utcoffset() == (None if minutes is None else timedelta(minutes=minutes))


def test_a_photograph_that_knows_where_it_was_knows_its_offset(reader: Reader) -> None:
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    exif.get_ifd(0x8769)[0x9003] = "2024:03:01 12:30:05"
    exif.get_ifd(0x8825).update({7: (7.0, 0.0, 5.0), 29: "2024:03:01"})
    decoded = reader.decoded(encoded(upright(), "JPEG", exif=exif))
    assert decoded.taken_at == NOON.replace(tzinfo=timezone(timedelta(hours=5, minutes=30)))
