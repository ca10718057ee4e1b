"""The places that people name: absolute, with links resolved, and there."""

from __future__ import annotations

import os
from pathlib import Path

from search.db.images import display_path, path_fault
from vision.errors import DeixisError


class PathError(DeixisError):
    """A path given to `index` does not exist or cannot be walked."""


def resolve_root(path: str | Path) -> str:
    """Absolute path with the symbolic links resolved; a root is the place itself, not a way to it.

    Raises:
        PathError: there is nothing at `path`.
    """
    try:
        resolved = os.path.realpath(os.fspath(path))
        fault = path_fault(resolved)
    except ValueError as error:  # NUL, or half a character: no file system has such a path
        raise PathError(f"{display_path(os.fspath(path))}: not a path", remedy="Check the spelling.") from error
    if fault is not None:
        raise PathError(fault.partition(": ")[2], remedy="Name a folder with a shorter path.")
    if not os.path.lexists(resolved):
        raise PathError(
            f"{os.fspath(path)}: no such file or folder",
            remedy="Check the spelling, or connect the drive it lies on. Nothing was removed from the library.",
        )
    return resolved
