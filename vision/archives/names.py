"""Names in archives: from the bytes that a stranger wrote to an address below the archive, or to none."""

from __future__ import annotations

import os
import re

from vision.archives.member import MemberError

SUFFIXES = (".zip", ".cbz", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
"""Names of archives that are opened."""

UNREAD_SUFFIXES = (".tar.zst", ".tzst", ".tar.lz4", ".tar.z", ".7z", ".rar", ".cbr", ".cb7")
"""Names of archives that are not."""

_MAX_BYTES = 4096
_MAX_DEPTH = 100
_DRIVE = re.compile(r"[A-Za-z]:(/|$)")


def is_archive_name(name: str) -> bool:
    """Whether a name is that of an archive which is opened."""
    return name.lower().endswith(SUFFIXES)


def is_any_archive_name(name: str) -> bool:
    """Whether a name is that of an archive, opened or not."""
    return name.lower().endswith((*SUFFIXES, *UNREAD_SUFFIXES))


def safe_name(name: str) -> str:
    """A member's name as the part of its address below the archive.

    Args:
        name: with `/` between folders; bytes that are not UTF-8 as Python spells those of file systems.

    Raises:
        MemberError: unsafe_name: it leads out of the archive, or is none.
    """
    complaint = None
    if len(os.fsencode(name)) > _MAX_BYTES:
        complaint = "is longer than a path can be"
    elif "\0" in name or "\n" in name or "\r" in name:
        complaint = "holds a character that no name has"
    elif name.startswith("/") or _DRIVE.match(name):
        complaint = "is an absolute path"
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if complaint is None and ".." in parts:
        complaint = "leads out of the archive"
    if complaint is None and not parts:
        complaint = "is empty"
    if complaint is None and len(parts) > _MAX_DEPTH:
        complaint = f"has more than {_MAX_DEPTH} folders"
    if complaint is not None:
        raise MemberError("unsafe_name", f"Its name {complaint}.")
    return "/".join(parts)


def from_bytes(raw: bytes) -> str:
    """A name as tar files hold it: UTF-8 where it is, else byte for byte."""
    return os.fsdecode(raw)


def from_zip(raw: bytes, *, utf8: bool, dos: bool) -> str:
    """A name as zip files hold it.

    Args:
        raw: its bytes.
        utf8: whether the file says that it is UTF-8; most programs that do not say so write it all the same, and the
            others mean code page 437, as APPNOTE.TXT, appendix D, does.
        dos: written by a system that has `\\` between folders.
    """
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = os.fsdecode(raw) if utf8 else raw.decode("cp437")
    return name.replace("\\", "/") if dos else name
