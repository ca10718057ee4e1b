"""Files that appear whole or not at all: written beside their place, made to last, then renamed into it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
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
def whole_file(
    path: Path, *, lasting: bool = True, mode: int = 0o666, within: Path | None = None
) -> Iterator[BinaryIO]:
    """A file to write into that takes the place of `path` at the end of the block; after an error it is gone.

    A reader of `path` meets the former file or the new one, never a part, and after a power cut it is one of the two.

    Args:
        path: where it goes; its folder exists.
        lasting: wait until file and name are on disk; off, a power cut may cost what was written.
        mode: rights of the new file, less what the umask takes away.
        within: where it is written until it is whole, on the same disk; beside its place if left out.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    unfinished, file = _begin(within or path.parent, mode)
    try:
        with file:
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


def write_whole(
    path: Path, data: str | bytes, *, lasting: bool = True, mode: int = 0o666, within: Path | None = None
) -> None:
    """Write a small file as `whole_file` does; text as UTF-8.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    with whole_file(path, lasting=lasting, mode=mode, within=within) as file:
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


def is_unfinished(path: Path) -> bool:
    """Whether `whole_file` was writing this file when its process died."""
    return _is_of_whole_file(path) and not _held(path)


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that died have left here; what another one is writing stays, and what lies deeper."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if _is_of_whole_file(path):
            _held(path, else_remove=True)


def _is_of_whole_file(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(UNFINISHED) and path.is_file()


def _begin(folder: Path, mode: int) -> tuple[Path, BinaryIO]:
    """A new file in this folder, held by this process until it is closed."""
    while True:
        unfinished = folder / f".{secrets.token_hex(8)}{UNFINISHED}"
        file = open(unfinished, "xb", buffering=1 << 20, opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115
        with contextlib.suppress(OSError):  # Some network mounts know no locks.
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return unfinished, file
        file.close()  # Cleared away in the moment before it was held.


def _held(path: Path, *, else_remove: bool = False) -> bool:
    """Whether a process that lives is writing this file."""
    try:
        with open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError:
                pass
            if else_remove:
                path.unlink(missing_ok=True)
            return False
    except OSError:
        return True  # It has got its name meanwhile, or is another user's.
