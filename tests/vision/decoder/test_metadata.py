"""A camera's clock is read as cameras really write it, and nothing in EXIF can harm."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.decoder.conftest import Reader
from tests.vision.decoder.pictures import dated
from vision.decoder.metadata import parse_taken_at

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
