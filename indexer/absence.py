"""What it says of a file that it was not found: whether its folder or file system was there to be asked."""

from __future__ import annotations

import os

from indexer.mounts import Mounts
from search.db.images import KnownFile


def at_or_below(path: str, folders: set[str]) -> bool:
    """Whether a path is one of these folders or lies in one."""
    while folders and len(path) > 1:
        if path in folders:
            return True
        path = os.path.dirname(path)
    return "/" in folders


def mount_changed(file: KnownFile, mounts: Mounts) -> bool:
    """Whether another file system lies now where the nearest folder of a missing file is."""
    folder = os.path.dirname(file.path)
    while True:
        try:
            token, device = mounts.token_of_folder(folder)
        except (FileNotFoundError, NotADirectoryError):
            folder = os.path.dirname(folder)
        except OSError:
            return True
        else:
            return not mounts.is_same(file.device, token, device)
