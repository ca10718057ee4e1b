"""Title, caption and keywords in IPTC-IIM (version 4), as it lies in the Photoshop block of a JPEG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vision.carried.facts import IPTC, Carried, Gathering

_BLOCK = 0x0404
_CHARSET, _TITLE, _KEYWORD, _CAPTION = (1, 90), (2, 5), (2, 25), (2, 120)
_UTF8 = b"\x1b%G"
_MAX_BYTES = 256 * 1024
_MAX_SETS = 2_000


def read_iptc(blocks: Any) -> Carried:
    """Read the blocks that Pillow gives, by their numbers; nothing where there is none."""
    found = Gathering(IPTC)
    data = blocks.get(_BLOCK) if isinstance(blocks, dict) else None
    if isinstance(data, bytes):
        sets = list(_data_sets(data[:_MAX_BYTES]))
        utf8 = any(name == _CHARSET and value == _UTF8 for name, value in sets)
        for wanted in (_TITLE, _CAPTION):
            for name, value in sets:
                if name == wanted:
                    found.say(_decoded(value, utf8=utf8))
        found.keywords([_decoded(value, utf8=utf8) for name, value in sets if name == _KEYWORD])
    return found.done()


def _data_sets(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    place = 0
    for _ in range(_MAX_SETS):
        if place + 5 > len(data) or data[place] != 0x1C:
            return
        length = int.from_bytes(data[place + 3 : place + 5], "big")
        if length & 0x8000 or place + 5 + length > len(data):  # sets of more than 32 kB hold pictures
            return
        yield (data[place + 1], data[place + 2]), data[place + 5 : place + 5 + length]
        place += 5 + length


def _decoded(value: bytes, *, utf8: bool) -> str:
    """Many programs write UTF-8 without saying so; what is none is Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("utf-8" if utf8 else "latin-1", "replace")
