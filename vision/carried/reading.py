"""All that a decoded file carries: EXIF, IPTC and XMP, wherever its format puts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image

from vision.carried.boxes import Frame
from vision.carried.exif import read_exif
from vision.carried.facts import NOTHING, XMP, Carried, together
from vision.carried.iptc import read_iptc
from vision.carried.xml_tree import MAX_BYTES
from vision.carried.xmp import read_xmp

_BEGIN, _END = b"<x:xmpmeta", b"</x:xmpmeta>"


def read_carried(exif: Image.Exif | None, info: Mapping[Any, Any], data: bytes, frame: Frame) -> Carried:
    """Read what a file carries; what is damaged costs itself.

    Args:
        exif: of the file, where there is one.
        info: what Pillow has found beside the pixels.
        data: the whole file.
        frame: of the picture.
    """
    found = NOTHING if exif is None else read_exif(exif)
    try:
        return together([found, read_iptc(info.get("photoshop")), read_xmp(_packet(info, data), XMP, frame)])
    except Exception:  # the pixels are still good, and so is what was read before
        return found


def _packet(info: Mapping[Any, Any], data: bytes) -> bytes:
    """The XMP that Pillow knows of; else, for RAW and JPEG XL, the first that stands in the file as it is."""
    known = info.get("xmp") or info.get("XML:com.adobe.xmp")
    if isinstance(known, str):
        return known.encode("utf-8", "replace")
    if isinstance(known, bytes) and known:
        return known
    start = data.find(_BEGIN)
    end = data.find(_END, start, start + MAX_BYTES) if start >= 0 else -1
    return data[start : end + len(_END)] if end >= 0 else b""
