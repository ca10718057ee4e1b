"""Read a foreign file once, whole, without ever blocking on something that is not a file."""

from __future__ import annotations

import errno
import os

from vision.archives.member import ArchiveLimits, Member, MemberError
from vision.archives.reading import MemberReader
from vision.decoder.contract import DecodeLimits, RefusalError
from vision.opening import NotAFileError, open_regular
from vision.originals import Original

_BY_ERRNO = {
    errno.ENOENT: ("not_found", "The file does not exist (any more)."),
    errno.ENOTDIR: ("not_found", "The file does not exist (any more)."),
    errno.ELOOP: ("not_found", "The link points in a circle."),
    errno.EACCES: ("permission_denied", "The file may not be read by this user."),
    errno.EPERM: ("permission_denied", "The file may not be read by this user."),
    errno.EISDIR: ("not_a_file", "This is a folder."),
    errno.ENXIO: ("not_a_file", "This is a socket or a device."),
}

_members: list[MemberReader] = []
"""One for the life of a child: of a compressed tar file it goes on from where the last member ended."""


def read_original(original: Original, limits: DecodeLimits) -> bytes:
    """Return a picture's whole content, wherever its bytes are.

    Raises:
        RefusalError: as `read_once` raises, and encrypted, expands_too_much, nested_archive, corrupt,
            unsupported_format.
    """
    if original.member is None:
        return read_once(os.fsencode(original.file), limits.max_file_bytes)
    if not _members:
        _members.append(MemberReader(ArchiveLimits(limits.max_file_bytes, limits.max_expansion)))
    try:
        data = _members[0].read(original.file, Member.parse(original.member))
    except MemberError as error:
        raise RefusalError(error.code, error.reason) from error
    except OSError as error:
        raise _refusal(error) from error
    require_size(len(data), limits.max_file_bytes)
    return data


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
        raise _refusal(error) from error


def _refusal(error: OSError) -> RefusalError:
    if isinstance(error, NotAFileError):
        return RefusalError("not_a_file", error.sentence)
    known = _BY_ERRNO.get(error.errno or 0)
    return RefusalError(*(known or ("unreadable", f"The system could not read the file: {error.strerror or error}.")))


def _read(path: bytes, max_bytes: int) -> bytes:
    with open_regular(path) as file:
        before = os.fstat(file.fileno())
        require_size(before.st_size, max_bytes)
        data = file.read(before.st_size + 1)  # one byte more, to notice a file that grows
        after = os.fstat(file.fileno())
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
        raise RefusalError(
            "too_large", f"The file has {size_bytes:,} bytes; DEIXIS_MAX_FILE_BYTES allows {max_bytes:,}."
        )
