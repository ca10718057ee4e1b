"""Are the copies of fetched pictures there, and what was fetched."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from search.checks.finding import VerifyReport
from search.db.images import kept_of
from search.kept import kept_copies, kept_folder
from search.library import Library
from vision.originals import kept_path


def check_kept(library: Library, report: VerifyReport) -> None:
    """Read every copy."""
    with library.read() as session:
        known = kept_of(session)
    folder = kept_folder(library.home)
    for path, sha256 in kept_copies(library.home):
        if sha256 not in known:
            report.add("stray_copy", _name(folder, path), "is of no picture of this library")
    for sha256 in sorted(known):
        path = Path(kept_path(folder, sha256))
        try:
            with open(path, "rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError as error:
            report.add("copy_missing", _name(folder, path), f"cannot be read: {error.strerror}")
            continue
        if not same:
            report.add("copy_damaged", _name(folder, path), "is not what was fetched")


def _name(folder: str, path: Path) -> str:
    return os.path.relpath(path, os.path.dirname(folder))
