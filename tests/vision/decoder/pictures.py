"""Pictures made on the spot: ordinary, odd and hostile."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

pillow_heif.register_heif_opener()

UPRIGHT_WH = (48, 32)
"""Size of `upright`: red top left, green top right, blue bottom left, white bottom right."""

UNTURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def upright() -> Image.Image:
    pixels = np.zeros((UPRIGHT_WH[1], UPRIGHT_WH[0], 3), dtype=np.uint8)
    pixels[:16, :24, 0] = 255
    pixels[:16, 24:, 1] = 255
    pixels[16:, :24, 2] = 255
    pixels[16:, 24:] = 255
    return Image.fromarray(pixels)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The file of a picture; lossless where the format can be."""
    defaults: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 95, "subsampling": 0},
        "WEBP": {"lossless": True, "exact": True},
        "AVIF": {"quality": 95, "subsampling": "4:4:4"},
        "HEIF": {"quality": 95, "chroma": 444},
    }
    file = io.BytesIO()
    picture.save(file, kind, **{**defaults.get(kind, {}), **options})
    return file.getvalue()


def turned(orientation: int, kind: str) -> bytes:
    """`upright` as a camera held in the given EXIF orientation stores it."""
    stored = upright()
    if orientation in UNTURN:
        stored = stored.transpose(UNTURN[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored, kind, exif=exif.tobytes())


def dated(kind: str, moment: str, offset: str | None = None) -> bytes:
    """A picture whose EXIF says when it was taken."""
    details = {0x9003: moment, **({} if offset is None else {0x9011: offset})}
    if kind == "TIFF":  # Pillow writes these only when they are given as TIFF tags
        tags = ImageFileDirectory_v2()
        tags[0x8769] = details
        return encoded(upright(), kind, tiffinfo=tags)
    exif = Image.Exif()
    exif[0x0110] = "a camera"  # Pillow does not write EXIF that has nothing at its top level
    exif.get_ifd(0x8769).update(details)
    return encoded(upright(), kind, exif=exif)


def png(width: int, height: int, *chunks: tuple[bytes, bytes], pixels: bytes = b"") -> bytes:
    """A PNG of 8-bit grey whose header may lie about what follows."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = b"".join(_chunk(*chunk) for chunk in (header, *chunks, (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + body


def slow_gif(frames: int) -> bytes:
    """A tiny GIF with so many frames that counting them takes long: about 10 µs each."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    return head + frame * frames + b"\x3b"


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
