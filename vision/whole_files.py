"""Files that appear whole or not at all: written beside their place, made to last, then renamed into it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

UNFINISHED = ".tmp"
"""How the name of a file that is being written ends; such a name also begins with a dot."""

_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP)
"""What file systems answer that know no fsync of a folder: FUSE and network mounts."""


@contextmanager
def whole_file(path: Path, *, lasting: bool = True, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file to write into that takes the place of `path` at the end of the block; after an error it is gone.

    A reader of `path` meets the former file or the new one, never a part, and after a power cut it is one of the two.

    Args:
        path: where it goes; its folder exists.
        lasting: wait until file and name are on disk; off, a power cut may cost what was written.
        mode: rights of the new file, less what the umask takes away.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    unfinished = path.with_name(f".{secrets.token_hex(8)}{UNFINISHED}")
    try:
        with open(unfinished, "xb", buffering=1 << 20, opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        # The first error is the one to tell of, whatever the disk says to the clearing away.
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
    if lasting:
        fsync_folder(path.parent)


def write_whole(path: Path, data: str | bytes, *, lasting: bool = True, mode: int = 0o666) -> None:
    """Write a small file as `whole_file` does; text as UTF-8.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    with whole_file(path, lasting=lasting, mode=mode) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def fsync_folder(folder: Path) -> None:
    """Make a created, renamed or deleted name in this folder last."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def is_unfinished(name: str) -> bool:
    """Whether a file of this name was being written by `whole_file` when its process died."""
    return name.startswith(".") and name.endswith(UNFINISHED)
