"""Small WebP pictures for the pages: derived, content-addressed, safe to delete."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

GALLERY_PX = 512
"""Longest side of a picture in a gallery."""

PAGE_PX = 1600
"""Longest side of a picture on its own page."""

SIZES_PX = (GALLERY_PX, PAGE_PX)

_SHA256 = re.compile(r"[0-9a-f]{64}")


class PreviewStore:
    """Previews of a library: `<home>/previews/<first two digits>/<sha256>-<px>.webp`.

    Args:
        home: the library's folder.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "previews"

    def path(self, sha256: str, size_px: int) -> Path:
        """Where the preview of the picture with this content belongs, whether it exists or not.

        Raises:
            ValueError: the hash is not 64 lower-case hex digits, or the size is not one of `SIZES_PX`.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}")
        if size_px not in SIZES_PX:
            raise ValueError(f"previews come in {SIZES_PX} px, not {size_px}")
        return self._folder / sha256[:2] / f"{sha256}-{size_px}.webp"

    def get(self, sha256: str, size_px: int) -> Path | None:
        """The preview's file, or None when it has not been made."""
        path = self.path(sha256, size_px)
        return path if path.is_file() else None

    def discard(self, sha256: str) -> int:
        """Remove every preview of a picture; returns how many there were. One that cannot be removed stays."""
        removed = 0
        for size_px in SIZES_PX:
            with contextlib.suppress(OSError):
                self.path(sha256, size_px).unlink()
                removed += 1
        return removed

    def put(self, sha256: str, size_px: int, data: bytes) -> Path:
        """Store a preview; readers see the whole file or none of it.

        Not fsynced on purpose: a preview lost in a power cut is made again.
        """
        path = self.path(sha256, size_px)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        return path
