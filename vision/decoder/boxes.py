"""Boxes of ISO media files (HEIC, AVIF, JPEG 2000, JPEG XL): walking them, and what two of them say of orientation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_MAX_BOXES = 4096


class Box(NamedTuple):
    """One box: its four-letter kind, where its content begins and ends, and whether the file holds all of it."""

    kind: bytes
    start: int
    end: int
    whole: bool


def walk(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes between two offsets, at most some thousands; stops at the first that makes no sense."""
    end = len(data) if end is None else min(end, len(data))
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        size, header = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0:
            size = end - start
        if size < header:
            return
        yield Box(data[start + 4 : start + 8], start + header, min(start + size, end), start + size <= end)
        start += size


def find(data: bytes, *path: bytes, start: int = 0, end: int | None = None) -> Box | None:
    """Find a box by its path from the outside in; `meta` is known to be a full box."""
    for box in walk(data, start, end):
        if box.kind == path[0]:
            inner = box.start + (4 if box.kind == b"meta" else 0)
            return box if len(path) == 1 else find(data, *path[1:], start=inner, end=box.end)
    return None


def turns_itself(data: bytes) -> bool:
    """Whether the primary picture of a HEIC or AVIF file carries a rotation or mirror of the container's own.

    Decoders apply it; EXIF's orientation then says the same thing a second time and must not be obeyed.
    """
    primary = find(data, b"meta", b"pitm")
    properties = find(data, b"meta", b"iprp", b"ipco")
    if primary is None or properties is None:
        return False
    long_id = data[primary.start] != 0
    item = int.from_bytes(data[primary.start + 4 : primary.start + (8 if long_id else 6)], "big")
    kinds = [box.kind for box in walk(data, properties.start, properties.end)]
    turning = {index for index, kind in enumerate(kinds, start=1) if kind in (b"irot", b"imir")}
    return bool(turning & _properties_of(data, item))


def _properties_of(data: bytes, item: int) -> set[int]:
    """Read from `ipma` which properties, counted from 1, an item has."""
    box = find(data, b"meta", b"iprp", b"ipma")
    if box is None:
        return set()
    wide_id, wide_index = data[box.start] != 0, bool(data[box.start + 3] & 1)
    count = int.from_bytes(data[box.start + 4 : box.start + 8], "big")
    place = box.start + 8
    step = 2 if wide_index else 1
    for _ in range(min(count, _MAX_BOXES)):
        id_bytes = 4 if wide_id else 2
        found = int.from_bytes(data[place : place + id_bytes], "big")
        place += id_bytes
        if place >= box.end:
            break
        many = data[place]
        place += 1
        entries = [data[place + step * k : place + step * (k + 1)] for k in range(many)]
        place += step * many
        if found == item:
            mask = 0x7FFF if wide_index else 0x7F
            return {int.from_bytes(entry, "big") & mask for entry in entries}
    return set()
