"""Open a file that others can exchange at any moment, without ever waiting for something that is not a file."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from typing import TypeAlias

AnyPath: TypeAlias = str | bytes | os.PathLike[str]


class NotAFileError(OSError):
    """There is a folder, a pipe, a socket or a device where a file was expected.

    Attributes:
        sentence: says which.
    """

    def __init__(self, number: int, sentence: str, path: str) -> None:
        super().__init__(number, sentence, path)
        self.sentence = sentence


def open_regular(path: AnyPath) -> BufferedReader:
    """Open a regular file for reading; opening a pipe without a writer would wait for ever.

    Raises:
        NotAFileError: it is none.
        OSError: it cannot be opened.
    """
    # Asked before opening, because opening a device can have effects; asked again afterwards, because the
    # file can be exchanged in between. O_NONBLOCK keeps a pipe from blocking the open itself.
    require_regular(os.stat(path), path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        require_regular(os.fstat(descriptor), path)
        return open(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def require_regular(status: os.stat_result, path: AnyPath) -> None:
    """Refuse what is no regular file.

    Raises:
        NotAFileError: it is a folder or something that can block.
    """
    if stat.S_ISDIR(status.st_mode):
        raise NotAFileError(errno.EISDIR, "This is a folder.", os.fsdecode(path))
    if not stat.S_ISREG(status.st_mode):
        raise NotAFileError(errno.EINVAL, "This is a pipe, a socket or a device, not a file.", os.fsdecode(path))
