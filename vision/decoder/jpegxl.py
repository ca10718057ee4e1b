"""JPEG XL: what its header says, and its pixels through libjxl."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from vision.decoder import boxes
from vision.decoder.contract import RefusalError
from vision.decoder.samples import picture_of

_CONTAINER = b"\x00\x00\x00\x0cJXL "
_MAX_EXIF_BYTES = 8 * 1024 * 1024
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the pixels.

    Attributes:
        stored_wh: before the orientation is applied.
        orientation: EXIF's numbers; libjxl applies it.
    """

    stored_wh: tuple[int, int]
    orientation: int

    @property
    def upright_wh(self) -> tuple[int, int]:
        """As libjxl hands it over."""
        width, height = self.stored_wh
        return (height, width) if self.orientation >= 5 else (width, height)


class _Bits:
    """Bits from the lowest of each byte on, as JPEG XL (ISO/IEC 18181-1) reads them."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise RefusalError("corrupt", "The file begins like JPEG XL, but ends within its header.")
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return taken

    def choose(self, *widths: int) -> int:
        """A U32: two bits choose how many bits follow."""
        return self.take(widths[self.take(2)])


def read_header(data: bytes) -> Header:
    """Read size and orientation.

    Raises:
        RefusalError: corrupt.
    """
    bits = _Bits(codestream(data)[2:66])
    if bits.take(1):  # a small picture, in units of eight
        height = 8 * (1 + bits.take(5))
        width = _width(bits, height) or 8 * (1 + bits.take(5))
    else:
        height = 1 + bits.choose(9, 13, 18, 30)
        width = _width(bits, height) or 1 + bits.choose(9, 13, 18, 30)
    orientation = 1
    if not bits.take(1) and bits.take(1):  # not all default, and extra fields
        orientation = 1 + bits.take(3)
    return Header((width, height), orientation)


def _width(bits: _Bits, height: int) -> int:
    ratio = _RATIOS.get(bits.take(3))
    return 0 if ratio is None else height * ratio[0] // ratio[1]


def codestream(data: bytes) -> bytes:
    """The picture without its container: what stays the same when a program rewrites only metadata."""
    if not data.startswith(_CONTAINER):
        return data
    parts = []
    for box in boxes.walk(data):
        if box.kind == b"jxlc":
            parts.append(data[box.start : box.end])
        elif box.kind == b"jxlp":
            parts.append(data[box.start + 4 : box.end])
    return b"".join(parts)


def exif(data: bytes) -> bytes:
    """EXIF as it stands in the container; empty where there is none, or only a compressed one."""
    box = boxes.find(data, b"Exif") if data.startswith(_CONTAINER) else None
    if box is None or box.end - box.start > _MAX_EXIF_BYTES:
        return b""
    skip = 4 + int.from_bytes(data[box.start : box.start + 4], "big")
    return data[box.start + skip : box.end]


def decode(data: bytes) -> Image.Image:
    """Decode the first frame, as its codestream says it stands.

    Raises:
        RefusalError: corrupt.
    """
    import imagecodecs  # noqa: PLC0415  # 5 MB that a child without such pictures does without

    try:
        samples = np.asarray(imagecodecs.jpegxl_decode(data, index=0, numthreads=1))
    except imagecodecs.JpegxlError as error:
        raise RefusalError("corrupt", f"The JPEG XL data cannot be decoded: {error}.") from error
    return picture_of(samples)
