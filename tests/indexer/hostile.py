"""Values that people's files hold and nobody foresaw: EXIF blocks, JSON of every kind."""

from __future__ import annotations

import io
import struct
from typing import Any

from hypothesis import strategies as st
from PIL import Image

# ASCII, dates, offsets, GPS, rationals, orientation, pointers to further blocks, thumbnails, makers' own.
_TAGS = (
    0x0100, 0x0101, 0x0102, 0x0103, 0x010E, 0x010F, 0x0111, 0x0112, 0x0115, 0x011A, 0x011B, 0x0132, 0x0201, 0x0202,
    0x8769, 0x8825, 0x829A, 0x9003, 0x9004, 0x9010, 0x9011, 0x927C, 0x9286, 0x9291, 0xA002, 0xA005, 0, 1, 2, 7, 0x1D,
)  # fmt: skip
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}

DATES = st.one_of(
    st.sampled_from(
        [
            "0001:01:01 00:00:00", "9999:12:31 23:59:59", "0000:00:00 00:00:00", "    :  :     :  :  ",
            "2024:02:30 25:61:61",
            "1582:10:10 12:00:00", "2024:06:01 12:00:00", "2024-06-01T12:00:00Z", "٢٠٢٤:٠٦:٠١ ١٢:٠٠:٠٠", "\0\0", "",
        ]
    ),
    st.datetimes().map(lambda moment: f"{moment.year:04}:{moment:%m:%d %H:%M:%S}"),
    st.text(max_size=24),
)  # fmt: skip
OFFSETS = st.sampled_from(["+14:00", "-12:00", "+23:59", "-23:59", "+99:99", "+00:00", "Z", "+5", "\0", "+٠٥:٠٠", ""])


@st.composite
def exif_blocks(draw: st.DrawFn) -> bytes:
    """An EXIF block: well-formed with absurd values, malformed, or no EXIF at all."""
    order = draw(st.sampled_from("<>"))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return b"Exif\0\0" + draw(st.binary(max_size=80))
    inner = [
        _entry(order, 0x9003, 2, draw(DATES).encode() + b"\0"),
        _entry(order, 0x9011, 2, draw(OFFSETS).encode() + b"\0"),
        *draw(st.lists(_entries(order), max_size=4)),
    ]
    outer = draw(st.lists(_entries(order), max_size=4))
    start = 8
    first = _directory(order, start, [*outer, None], next_at=draw(st.sampled_from([0, 8, 2**32 - 1])))
    second_at = start + len(first)
    first = _directory(order, start, [*outer, (0x8769, 4, 1, struct.pack(order + "I", second_at))])
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start) + first
    block += _directory(order, second_at, inner)
    if kind == 1:
        block = block[: draw(st.integers(0, len(block)))]
    return b"Exif\0\0" + block


Entry = tuple[int, int, int, bytes]


def _entry(order: str, tag: int, kind: int, value: bytes) -> Entry:
    return tag, kind, len(value) // _SIZES.get(kind, 1), value


def _entries(order: str) -> st.SearchStrategy[Entry]:
    values = st.binary(max_size=40) | st.sampled_from([b"\0" * 8, b"\xff" * 24, struct.pack(order + "II", 1, 0)])
    counts = st.sampled_from([0, 1, 2, 3, 24, 255, 2**16, 2**31 - 1, 2**32 - 1])
    return st.tuples(st.sampled_from(_TAGS), st.integers(0, 14), counts, values)


def _directory(order: str, at: int, entries: list[Entry | None], next_at: int = 0) -> bytes:
    """An image file directory (TIFF 6.0, section 2) and what does not fit into its entries, to stand at `at`."""
    table, rest = struct.pack(order + "H", len(entries)), b""
    free = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in (entry or (0x8769, 4, 1, b"\0" * 4) for entry in entries):
        table += struct.pack(order + "HHI", tag, kind, count)
        if len(value) <= 4:
            table += value.ljust(4, b"\0")
        else:
            table += struct.pack(order + "I", free + len(rest))
            rest += value + b"\0" * (len(value) % 2)
    return table + struct.pack(order + "I", next_at) + rest


def picture_with(exif: bytes, form: str, number: int) -> bytes:
    """A picture of its own content with this EXIF block."""
    file = io.BytesIO()
    colour = (number % 256, number // 256 % 256, number // 65_536 % 256)
    Image.new("RGB", (24, 18), colour).save(file, form, exif=exif)
    return file.getvalue()


NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([0, -1, 1, 7, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400]),
    st.floats(),
    st.sampled_from([5e-324, 1e308, 0.0, -0.0, 0.5, 1.0, 1 + 2**-52]),
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["\0", "\ud800", "a\udfffb", "\udce9.png", "x" * 10_001, "x" * 3000, " ", "a.png", "../a.png", "/", ""]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn, good: Any) -> Any:
    """The value with some of its parts, at any depth, replaced by anything, or left out."""
    if draw(st.integers(0, 5)) == 0:
        return draw(JSON)
    if isinstance(good, dict):
        kept = {key: draw(spoiled(value)) for key, value in good.items() if draw(st.integers(0, 9))}
        return {**kept, **draw(st.dictionaries(TEXTS, JSON, max_size=1))} if draw(st.integers(0, 9)) == 0 else kept
    if isinstance(good, list):
        return [draw(spoiled(value)) for value in good]
    return good
