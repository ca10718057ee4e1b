"""Patch vectors of the library's pictures: derived, content-addressed, checksummed, safe to delete."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.vectors.durable import writing_to
from vision.looks import GRID, WHOLE, WITH_PARTS, Looks
from vision.whole_files import write_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{64})-([0-9a-f]{16})\.pat")
_HEAD = struct.Struct("<8sHHI")
_CRC = struct.Struct("<I")
_MAGIC = b"\x89DXPAT\r\n"
_FORMAT = 1
_MARK = "kept.json"
_LEVELS = 127


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of every picture.

    Attributes:
        model: identity of the encoder, 64 hex digits.
        looks: `vision.looks.WHOLE` or `WITH_PARTS`.
    """

    model: str
    looks: int


class PatchStore:
    """Patches of a library: `<home>/patches/<first two digits>/<sha256>-<first 16 digits of the model>.pat`.

    A file is a head, the views and 8-bit numbers, and a CRC-32 of them; docs/formats.md has the table. A number is a
    coordinate in 127ths of its vector's largest one: vectors come back L2-normalised, so that no scale is stored.

    Args:
        home: the library's folder.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "patches"

    def kept(self) -> Kept | None:
        """What this library keeps; None where it keeps no patches, or where that cannot be read."""
        try:
            facts = json.loads((self.folder / _MARK).read_bytes())
            found = Kept(str(facts["model"]), int(facts["looks"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if _SHA256.fullmatch(found.model) and found.looks in (WHOLE, WITH_PARTS) else None

    def keep(self, kept: Kept) -> None:
        """Decide what is kept from now on.

        Raises:
            LibraryError: it cannot be written.
        """
        with writing_to(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / _MARK, json.dumps({"model": kept.model, "looks": kept.looks}) + "\n")

    def path(self, sha256: str, model: str) -> Path:
        """Where the patches of the picture with this content belong, whether they exist or not."""
        if not _SHA256.fullmatch(sha256) or not _SHA256.fullmatch(model):
            raise ValueError(f"not a SHA-256 in lower-case hex: {sha256!r}, {model!r}")
        return self.folder / sha256[:2] / f"{sha256}-{model[:16]}.pat"

    def put(self, sha256: str, model: str, looks: Looks) -> int:
        """Keep the patches of a picture; returns the bytes. Not fsynced on purpose: what is lost is made again.

        Args:
            sha256: of the picture's file.
            model: identity of the encoder.
            looks: pooled.

        Raises:
            LibraryError: it cannot be written.
        """
        data = packed(looks)
        path = self.path(sha256, model)
        with writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data, lasting=False, mode=0o600, within=self.folder)
        return len(data)

    def put_packed(self, sha256: str, kept: Kept, data: bytes, dim: int) -> bool:
        """Keep the bytes of a file that was made elsewhere; returns False, and keeps nothing, where they are no such.

        Args:
            sha256: of the picture's file.
            kept: what is kept here.
            data: what `packed` made.
            dim: of the encoder's vectors.

        Raises:
            LibraryError: it cannot be written.
        """
        looks = unpacked(data)
        if looks is None or looks.dim != dim or not np.isfinite(looks.views).all():
            return False
        path = self.path(sha256, kept.model)
        with writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data, lasting=False, mode=0o600, within=self.folder)
        return True

    def read(self, sha256: str, model: str) -> Looks | None:
        """The patches of a picture, or None where they have not been made, are damaged or cannot be read."""
        try:
            return unpacked(self.path(sha256, model).read_bytes())
        except OSError:
            return None

    def looks_of(self, sha256: str, model: str) -> int:
        """How many looks are kept of a picture, by the size of its file; 0 without one."""
        try:
            with open(self.path(sha256, model), "rb") as file:
                return int(_HEAD.unpack(file.read(_HEAD.size))[2])
        except (OSError, struct.error):
            return 0

    def files(self) -> Iterator[tuple[Path, str | None, str]]:
        """Everything that lies here but the mark: each file, its picture's hash (None for a stranger), its model."""
        for folder in _entries(self.folder):
            if folder.name == _MARK:
                continue
            if not folder.is_dir() or folder.is_symlink():
                yield folder, None, ""
                continue
            for path in _entries(folder):
                name = _NAME.fullmatch(path.name)
                if name is None or name[1][:2] != folder.name:
                    yield path, None, ""
                else:
                    yield path, name[1], name[2]

    def erase_others(self, known: set[str]) -> int:
        """Erase what is of no known picture, or of another model than the one that is kept; returns the files."""
        kept = self.kept()
        model = "" if kept is None else kept.model[:16]
        gone = 0
        for path, sha256, of in list(self.files()):
            if (sha256 not in known or of != model) and (path.is_symlink() or not path.is_dir()):
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()
                    gone += 1
        return gone

    def clear(self) -> None:
        """Erase all patches, and keep none from now on.

        Raises:
            LibraryError: they cannot be erased.
        """
        if self.folder.is_dir():
            with writing_to(self.folder):
                (self.folder / _MARK).unlink(missing_ok=True)  # first: what is left by a kill is then only strays
                shutil.rmtree(self.folder)


def packed(looks: Looks) -> bytes:
    """The bytes of a file."""
    count, rows, columns, dim = looks.patches.shape
    if (rows, columns) != (GRID, GRID):
        raise ValueError(f"patches are kept as {GRID} × {GRID}, not {rows} × {columns}")
    largest = np.maximum(np.abs(looks.patches).max(axis=-1, keepdims=True), 1e-12)
    numbers = np.rint(looks.patches / largest * _LEVELS).astype(np.int8)
    body: bytes = _HEAD.pack(_MAGIC, _FORMAT, count, dim) + looks.views.astype("<f4").tobytes() + numbers.tobytes()
    return body + _CRC.pack(zlib.crc32(body))


def unpacked(data: bytes) -> Looks | None:
    """What `packed` wrote, or None where the bytes are anything else."""
    if len(data) < _HEAD.size + _CRC.size or data[: len(_MAGIC)] != _MAGIC:
        return None
    _, version, count, dim = _HEAD.unpack_from(data)
    if count not in (WHOLE, WITH_PARTS) or dim == 0:
        return None
    numbers_at = _HEAD.size + 16 * count
    size_bytes = numbers_at + count * GRID * GRID * dim + _CRC.size
    if version != _FORMAT or len(data) != size_bytes or zlib.crc32(data[: -_CRC.size]) != _CRC.unpack(data[-4:])[0]:
        return None
    views = np.frombuffer(data, "<f4", 4 * count, _HEAD.size).reshape(count, 4).astype(np.float32)
    stored = np.frombuffer(data, np.int8, count * GRID * GRID * dim, numbers_at)
    patches: NDArray[np.float32] = stored.reshape(count, GRID, GRID, dim).astype(np.float32)
    patches /= np.maximum(np.sqrt(np.einsum("lrcd,lrcd->lrc", patches, patches))[..., None], 1e-12)
    return Looks(patches, views)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder))
    except FileNotFoundError:
        return []
