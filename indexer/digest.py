"""The digest of a file on disk, without ever waiting for something that is no file."""

from __future__ import annotations

import hashlib

from vision.opening import open_regular


def file_sha256(path: str) -> str | None:
    """SHA-256 of a regular file, hex; None where it cannot be read: the decoder will meet and name the obstacle."""
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
