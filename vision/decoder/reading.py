"""Read a foreign file once, whole, without ever blocking on something that is not a file."""

from __future__ import annotations

import errno
import os
import stat

from vision.decoder.contract import RefusalError

_BY_ERRNO = {
    errno.ENOENT: ("not_found", "The file does not exist (any more)."),
    errno.ENOTDIR: ("not_found", "The file does not exist (any more)."),
    errno.ELOOP: ("not_found", "The link points in a circle."),
    errno.EACCES: ("permission_denied", "The file may not be read by this user."),
    errno.EPERM: ("permission_denied", "The file may not be read by this user."),
    errno.EISDIR: ("not_a_file", "This is a folder."),
    errno.ENXIO: ("not_a_file", "This is a socket or a device."),
}


def read_once(path: bytes, max_bytes: int) -> bytes:
    """Return the whole content of a regular file.

    Args:
        path: absolute, as the file system spells it.
        max_bytes: a larger file is refused before anything is read.

    Raises:
        RefusalError: not_found, permission_denied, not_a_file, empty, too_large, changed_while_reading, unreadable.
    """
    try:
        return _read(path, max_bytes)
    except OSError as error:
        known = _BY_ERRNO.get(error.errno or 0)
        code, reason = known or ("unreadable", f"The system could not read the file: {error.strerror or error}.")
        raise RefusalError(code, reason) from error


def _read(path: bytes, max_bytes: int) -> bytes:
    # Asked before opening, because opening a device can have effects; asked again afterwards, because the
    # file can be exchanged in between. O_NONBLOCK keeps a pipe without a writer from blocking the open.
    _require_regular(os.stat(path))
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        before = os.fstat(handle)
        _require_regular(before)
        require_size(before.st_size, max_bytes)
        data = file.read(before.st_size + 1)  # one byte more, to notice a file that grows
        after = os.fstat(handle)
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns) or len(data) != before.st_size:
        raise RefusalError("changed_while_reading", "The file changed while it was being read.")
    return data


def require_size(size_bytes: int, max_bytes: int) -> None:
    """Refuse what is empty or larger than `max_bytes`.

    Raises:
        RefusalError: empty, too_large.
    """
    if size_bytes == 0:
        raise RefusalError("empty", "The file is empty.")
    if size_bytes > max_bytes:
        raise RefusalError("too_large", f"The file has {size_bytes:,} bytes; at most {max_bytes:,} bytes are read.")


def _require_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise RefusalError("not_a_file", "This is a folder.")
    if not stat.S_ISREG(status.st_mode):
        raise RefusalError("not_a_file", "This is a pipe, a socket or a device, not a file.")
