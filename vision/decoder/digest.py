"""A digest of the picture itself, which stays the same when a program rewrites only what is written about it."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from PIL import Image

from vision.decoder import boxes, jpegxl

_ROWS = 256

# Everything in a JPEG that changes pixels: frames, tables, restart intervals. Not in it: APPn and comments, of which
# only the colour profile counts, and Adobe's note on the colours' transform.
_FRAME_MARKERS = frozenset({*range(0xC0, 0xCF), 0xDB, 0xDD})
_ADOBE = 0xEE
_PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT"})
_WEBP_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"ALPH", b"ANMF"})


def of_file(kind: str, data: bytes, orientation: int, profile: object) -> str | None:
    """Digest the compressed picture, without decoding it.

    Args:
        kind: a code of `known.CODES`.
        data: the whole file.
        orientation: by which it will be turned: the same samples, turned another way, are another picture.
        profile: the colour profile, bytes or nothing.

    Returns:
        64 hex digits; None for formats whose compressed form has no borders that hold.
    """
    readers = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "JPEG2000": _jpeg2000, "JXL": _jxl}
    if kind not in readers:
        return None
    digest = hashlib.sha256(_preface(kind, orientation, profile))
    found = False
    for piece in readers[kind](data):
        found = True
        digest.update(piece)
    return digest.hexdigest() if found else None


def of_picture(kind: str, picture: Image.Image, orientation: int) -> str:
    """Digest the decoded samples, in the mode in which they came out of the file."""
    digest = hashlib.sha256(_preface(kind, orientation, picture.info.get("icc_profile")))
    digest.update(f"{picture.mode} {picture.width} {picture.height} {picture.info.get('transparency')!r}".encode())
    if picture.mode in ("P", "PA"):
        digest.update(picture.palette.tobytes() if picture.palette else b"")
    for top in range(0, picture.height, _ROWS):
        bottom = min(top + _ROWS, picture.height)
        digest.update(picture.crop((0, top, picture.width, bottom)).tobytes())
    return digest.hexdigest()


def _preface(kind: str, orientation: int, profile: object) -> bytes:
    return f"{kind} {orientation} ".encode() + hashlib.sha256(profile if isinstance(profile, bytes) else b"").digest()


def _jpeg(data: bytes) -> Iterator[bytes]:
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            place += 1
            continue
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:
            place += 1 if marker == 0xFF else 2
            continue
        if marker == 0xDA:
            end = data.find(b"\xff\xd9", place)
            yield data[place : end if end >= 0 else len(data)]
            return
        if marker in _FRAME_MARKERS or (marker == _ADOBE and data[place + 4 : place + 9] == b"Adobe"):
            yield data[place : place + 2 + length]
        place += 2 + max(2, length)


def _png(data: bytes) -> Iterator[bytes]:
    place = 8
    while place + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[place : place + 8])
        if kind in _PNG_CHUNKS:
            # Pixels may be cut into chunks anew: only what is in them counts.
            yield (b"" if kind == b"IDAT" else kind) + data[place + 8 : place + 8 + length]
        place += 12 + length


def _webp(data: bytes) -> Iterator[bytes]:
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[place : place + 8])
        if kind in _WEBP_CHUNKS:
            yield kind + data[place + 8 : place + 8 + length]
        place += 8 + length + (length & 1)


def _jpeg2000(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"\xff\x4f"):
        yield data
        return
    for box in boxes.walk(data):
        if box.kind == b"jp2c":
            yield data[box.start : box.end]
        elif box.kind == b"jp2h":
            yield from (
                data[part.start : part.end]
                for part in boxes.walk(data, box.start, box.end)
                if part.kind in (b"pclr", b"cmap", b"cdef")
            )


def _jxl(data: bytes) -> Iterator[bytes]:
    stream = jpegxl.codestream(data)
    if stream:
        yield stream
