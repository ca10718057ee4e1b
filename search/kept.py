"""Copies of pictures that have no file of their own here: fetched ones, by their content, below the library's home."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from vision.originals import kept_path
from vision.whole_files import write_whole

_SHA256 = re.compile(r"[0-9a-f]{64}")


def kept_folder(home: Path) -> str:
    """The folder of the copies."""
    return str(home / "fetched")


def keep(home: Path, data: bytes) -> str:
    """Keep a copy, whole and synced to the disk; returns its SHA-256, hex.

    Raises:
        OSError: it cannot be written.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    path = Path(kept_path(kept_folder(home), sha256))
    if not path.is_file() or path.stat().st_size != len(data):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, data, lasting=True, mode=0o600)
    return sha256


def kept_copies(home: Path) -> Iterator[tuple[Path, str | None]]:
    """Everything that lies among the copies, each with the SHA-256 of its name; None for a stranger."""
    for folder, _, names in sorted(os.walk(kept_folder(home))):
        for name in sorted(names):
            known = _SHA256.fullmatch(name) and os.path.basename(folder) == name[:2]
            yield Path(folder, name), name if known else None


def erase_others(home: Path, known: Collection[str]) -> int:
    """Erase all that lies among the copies and is of no picture that the library holds; returns how many files."""
    gone = 0
    for path, sha256 in kept_copies(home):
        if sha256 not in known:
            path.unlink(missing_ok=True)
            gone += 1
    return gone
