"""The folders (IFDs) of a TIFF file, read without decoding: is it camera RAW, is its first picture a thumbnail?"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_MAX_FOLDERS = 64
_MAX_ENTRIES = 512

_SUBFILE_TYPE, _WIDTH, _HEIGHT, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 254, 256, 257, 262, 330, 50706
_RAW_PHOTOMETRIC = {32803, 34892}  # a colour filter array; linear samples of a sensor
_FORMS = {1: (1, "B"), 3: (2, "H"), 4: (4, "I"), 13: (4, "I")}


@dataclass(frozen=True, slots=True)
class Folder:
    """One picture of the file.

    Attributes:
        size_wh: its width and height; zeros where it does not say.
        reduced: it calls itself a smaller copy of another one.
        raw: its samples are a sensor's, not a picture's.
    """

    size_wh: tuple[int, int]
    reduced: bool
    raw: bool


def folders(data: bytes) -> list[Folder]:
    """Read the folders of a TIFF file and those below them, the first one first; empty for what is none."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return []
    found: list[Folder] = []
    pending = [struct.unpack(order + "I", data[4:8])[0]]
    seen: set[int] = set()
    while pending and len(found) < _MAX_FOLDERS:
        place = pending.pop(0)
        if place in seen or not 8 <= place <= len(data) - 2:
            continue
        seen.add(place)
        tags, following = _tags(data, place, order)
        found.append(_folder(tags))
        pending += tags.get(_SUB_IFDS, [])
        pending += [following] if following else []
    return found


def is_camera_raw(data: bytes) -> bool:
    """Whether a file that begins like TIFF holds a sensor's samples."""
    return any(folder.raw for folder in folders(data))


def _folder(tags: dict[int, list[int]]) -> Folder:
    def first(tag: int) -> int:
        return next(iter(tags.get(tag, [])), 0)

    raw = first(_PHOTOMETRIC) in _RAW_PHOTOMETRIC or _DNG_VERSION in tags
    return Folder((first(_WIDTH), first(_HEIGHT)), bool(first(_SUBFILE_TYPE) & 1), raw)


def _tags(data: bytes, place: int, order: str) -> tuple[dict[int, list[int]], int]:
    """Read the whole numbers among one folder's entries, and where the next folder is."""
    (count,) = struct.unpack(order + "H", data[place : place + 2])
    end = place + 2 + 12 * count
    tags: dict[int, list[int]] = {}
    for start in range(place + 2, min(end, place + 2 + 12 * _MAX_ENTRIES, len(data) - 11), 12):
        tag, form, many = struct.unpack(order + "HHI", data[start : start + 8])
        if form not in _FORMS or not 1 <= many <= _MAX_FOLDERS:
            continue
        size, letter = _FORMS[form]
        value = data[start + 8 : start + 12]
        if size * many > 4:
            (offset,) = struct.unpack(order + "I", value)
            value = data[offset : offset + size * many]
        if len(value) >= size * many:
            tags[tag] = list(struct.unpack(f"{order}{many}{letter}", value[: size * many]))
    (following,) = struct.unpack(order + "I", data[end : end + 4]) if end + 4 <= len(data) else (0,)
    return tags, following
