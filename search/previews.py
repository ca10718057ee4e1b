"""Small JPEG pictures for the pages: derived, content-addressed, checksummed, safe to delete."""

from __future__ import annotations

import contextlib
import io
import os
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from vision.types import RgbImage
from vision.whole_files import write_whole

GALLERY_PX = 512
"""Longest side of a picture in a gallery."""

PAGE_PX = 1600
"""Longest side of a picture on its own page."""

SIZES_PX = (GALLERY_PX, PAGE_PX)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{64})-(\d+)\.(?:jpg|webp)")
_RIFF = struct.Struct("<4sI4s")
_SEAL = struct.Struct("<4sI")
_SEAL_MARK = b"DXck"
_JPEG_START = b"\xff\xd8"
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Markers of baseline, extended and progressive frames, which hold the sides."""


class PreviewStore:
    """Previews of a library: `<home>/previews/<first two digits>/<sha256>-<px>.jpg`.

    Earlier versions wrote `.webp` files, which are read where they lie.

    Behind the picture stands a CRC-32 of it (`DXck` and four bytes), which viewers pass over: a damaged preview would
    be served for years otherwise, because its address promises that it never changes.

    Args:
        home: the library's folder.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "previews"

    def path(self, sha256: str, size_px: int) -> Path:
        """Where the preview of the picture with this content belongs, whether it exists or not.

        Raises:
            ValueError: the hash is not 64 lower-case hex digits, or the size is not one of `SIZES_PX`.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
        if size_px not in SIZES_PX:
            raise ValueError(f"previews come in {SIZES_PX} px, not {size_px}")
        return self.folder / sha256[:2] / f"{sha256}-{size_px}.jpg"

    def read(self, sha256: str, size_px: int) -> bytes | None:
        """The preview's bytes, or None when it has not been made, is damaged or cannot be read: make it again."""
        for path in _may_lie(self.path(sha256, size_px)):
            with contextlib.suppress(OSError):
                data = unsealed(path.read_bytes())
                if data is not None:
                    return data
        return None

    def pixels(self, sha256: str, size_px: int) -> RgbImage | None:
        """The same as HWC uint8 RGB, upright."""
        preview = self.read(sha256, size_px)
        if preview is None:
            return None
        # Written and sealed by this library: no foreign bytes reach the decoder here.
        with PillowImage.open(io.BytesIO(preview)) as opened:
            return np.asarray(opened.convert("RGB"))

    def fault(self, sha256: str, size_px: int) -> str | None:
        """Why a preview that is there cannot be read, in the system's words; None where it can, or is not there."""
        for path in _may_lie(self.path(sha256, size_px)):
            try:
                with path.open("rb"):
                    return None
            except FileNotFoundError:
                continue
            except OSError as error:
                return error.strerror or str(error)
        return None

    def discard(self, sha256: str) -> int:
        """Remove every preview of a picture; returns how many there were. One that cannot be removed stays."""
        removed = 0
        for size_px in SIZES_PX:
            for path in _may_lie(self.path(sha256, size_px)):
                with contextlib.suppress(OSError):
                    path.unlink()
                    removed += 1
        return removed

    def put(self, sha256: str, size_px: int, data: bytes) -> Path:
        """Store a preview; readers see the whole file or none of it.

        Not fsynced on purpose: a preview lost in a power cut is made again.
        """
        path = self.path(sha256, size_px)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(
            path, data + _SEAL.pack(_SEAL_MARK, zlib.crc32(data)), lasting=False, mode=0o600, within=self.folder
        )
        return path

    def files(self) -> Iterator[tuple[Path, str | None]]:
        """Everything that lies among the previews, by name: each file with its picture's hash, None for a stranger."""
        for folder in sorted(_entries(self.folder)):
            if not folder.is_dir() or folder.is_symlink():
                yield folder, None
                continue
            for path in sorted(_entries(folder)):
                name = _NAME.fullmatch(path.name)
                known = name is not None and name[1][:2] == folder.name and int(name[2]) in SIZES_PX
                yield path, name[1] if name is not None and known else None

    def size_of(self, path: Path) -> int:
        """The longest side in px that the name of a preview promises at most."""
        return int(path.stem.rpartition("-")[2])


def unsealed(stored: bytes) -> bytes | None:
    """The picture's bytes of a preview's file, or None when they are not what was written.

    A WebP file without a checksum, as earlier versions wrote them, is believed when it is as long as it says.
    """
    data, seal = stored[: -_SEAL.size], stored[-_SEAL.size :]
    if len(seal) == _SEAL.size and seal[:4] == _SEAL_MARK:
        return data if _SEAL.unpack(seal)[1] == zlib.crc32(data) else None
    if len(stored) < _RIFF.size:
        return None
    riff, size_bytes, kind = _RIFF.unpack_from(stored)
    return stored if (riff, kind) == (b"RIFF", b"WEBP") and size_bytes + 8 == len(stored) else None


def media_type(preview: bytes) -> str:
    """What kind of picture a preview is, after its first bytes."""
    return "image/jpeg" if preview.startswith(_JPEG_START) else "image/webp"


def sides_px(preview: bytes) -> tuple[int, int] | None:
    """Width and height that the head of a JPEG or WebP file names, or None where it is neither.

    Source: ITU-T T.81, annex B; RFC 9649, sections 2.5 to 2.7.
    """
    return _jpeg_sides_px(preview) if preview.startswith(_JPEG_START) else _webp_sides_px(preview)


def _jpeg_sides_px(jpeg: bytes) -> tuple[int, int] | None:
    place = len(_JPEG_START)
    while place + 9 <= len(jpeg) and jpeg[place] == 0xFF:
        marker, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", jpeg, place + 5)
            return (width, height) if width and height else None
        place += 2 + max(length, 2)
    return None


def _webp_sides_px(webp: bytes) -> tuple[int, int] | None:
    kind, body = webp[12:16], webp[20:30]
    if len(body) < 10 or webp[:4] != b"RIFF":
        return None
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    return None


def erase_previews(paths: list[Path]) -> int:
    """Delete files among the previews; returns how many are gone. A reader that has one open goes on reading it."""
    gone = 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            gone += 1
    return gone


def _may_lie(path: Path) -> tuple[Path, Path]:
    """Where a preview may be: as it is written now, and as earlier versions wrote it."""
    return path, path.with_suffix(".webp")


def _entries(folder: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(folder)]
    except FileNotFoundError:
        return []
