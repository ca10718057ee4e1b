"""What is in an archive: its pictures, what speaks of them, and what cannot be read, without unpacking anything."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from vision.archives.expanding import packing_of
from vision.archives.member import ArchiveLimits, Member, MemberError
from vision.archives.names import is_any_archive_name, safe_name
from vision.decoder.known import begins_like_a_picture, is_named_picture
from vision.opening import open_regular

TEXT_SUFFIXES = (".xmp", ".json", ".txt")
"""Members that may speak of a picture."""

MAX_TEXT_BYTES = 1024 * 1024
"""A longer one is not read, as beside pictures on the disk."""

_HELD_TEXT_BYTES = 64 * 1024 * 1024
_MAX_FAULTS = 100
_HEAD_BYTES = 512
_TAR_MARK_AT = 257


class NotArchiveError(Exception):
    """The content is that of no archive which is opened."""


@dataclass(frozen=True, slots=True)
class Text:
    """A member that may speak of a picture.

    Attributes:
        member: where it is.
        content: its bytes, where the whole archive has to be expanded to come to them.
    """

    member: Member
    content: bytes | None = field(default=None, repr=False)


@dataclass(slots=True)
class Listing:
    """What is in one archive.

    Attributes:
        kind: `zip` or `tar`.
        members: pictures by the part of their address below the archive; also those that are not read.
        texts: what may speak of them, in the same way.
        faults: names that stand for no address, each with a reason as `code: sentence`; a hundred at most.
        others: members that neither name nor content calls a picture.
        problem: why the rest of the archive could not be read; None where it could.
    """

    kind: str
    members: dict[str, Member] = field(default_factory=dict)
    texts: dict[str, Text] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)
    others: int = 0
    problem: str | None = None
    _held_bytes: int = 0

    def add(self, name: str, member: Member, head: bytes) -> str | None:
        """Take a member up; returns its address where it is a text whose content should be kept.

        Args:
            name: as the archive spells it, `/` between folders.
            member: where it is.
            head: its first bytes, as far as they are known.
        """
        try:
            address = safe_name(name)
        except MemberError as error:
            if _may_be_picture(name, head):
                self._fault(name, f"{error.code}: {error.reason}")
            else:
                self.others += 1
            return None
        if is_any_archive_name(address):
            member = member.unread("nested_archive")
        elif address.lower().endswith(TEXT_SUFFIXES):
            self.others += 1
            if member.kind != "no" and member.size_bytes <= MAX_TEXT_BYTES:
                self.texts[address] = Text(member)
                return address
            return None
        elif not _may_be_picture(address, head):
            self.others += 1
            return None
        if address in self.members:  # as programs that unpack do: the last one stays
            self._fault(name, "duplicate_name: A later member of the archive has the same name, and stands for it.")
        self.members[address] = member
        return None

    def hold(self, address: str, content: bytes) -> None:
        """Keep the content of a text, as long as there is room."""
        self._held_bytes += len(content)
        if self._held_bytes <= _HELD_TEXT_BYTES:
            self.texts[address] = replace(self.texts[address], content=content)

    def _fault(self, name: str, reason: str) -> None:
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append((name[:1000], reason))


def list_archive(path: str, limits: ArchiveLimits | None = None) -> Listing:
    """Read the directory of a zip file, or the headers of a tar file, and the texts of a compressed one.

    Args:
        path: a regular file.
        limits: the defaults of `ArchiveLimits` when None.

    Raises:
        NotArchiveError: it is neither zip nor tar, plain or compressed with gzip, bzip2 or xz.
        OSError: it cannot be read.
    """
    from vision.archives import tars, zips  # noqa: PLC0415  # they fill what this module defines

    limits = limits or ArchiveLimits()
    with open_regular(path) as file:
        head = file.read(_HEAD_BYTES)
        packing = packing_of(head)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or (packing is None and zips.has_directory(file)):
            return zips.list_zip(file, limits)
        if packing is not None or is_tar(head):
            return tars.list_tar(file, packing, limits)
    raise NotArchiveError


def is_tar(head: bytes) -> bool:
    """Whether a file of these first 512 bytes is a tar file of any of the usual kinds."""
    from vision.archives.tars import checksum_fits  # noqa: PLC0415  # as above

    return head[_TAR_MARK_AT : _TAR_MARK_AT + 5] == b"ustar" or (len(head) == _HEAD_BYTES and checksum_fits(head))


def holds_archive(path: str) -> bool:
    """Whether a file's first bytes are those of an archive which may be opened."""
    try:
        with open_regular(path) as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or packing_of(head) is not None or is_tar(head)


def needs_head(name: str) -> bool:
    """Whether a member's first bytes are wanted: a name without a suffix says nothing."""
    return "." not in os.path.basename(name)


def _may_be_picture(name: str, head: bytes) -> bool:
    return is_named_picture(name) or (needs_head(name) and begins_like_a_picture(head))


__all__ = ["Listing", "NotArchiveError", "Text", "holds_archive", "is_tar", "list_archive"]
