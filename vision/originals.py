"""Where a picture's bytes are: in a file of its own, in an archive, or in a copy that the library keeps.

Everything that opens a picture of the library comes through here.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from io import BufferedReader
from tempfile import SpooledTemporaryFile

from vision.archives.listing import NotArchiveError, list_archive
from vision.archives.member import ArchiveLimits, LocatorError, Member, MemberError
from vision.archives.names import is_archive_name
from vision.archives.reading import MemberReader
from vision.opening import open_regular

_SHA256 = re.compile(r"[0-9a-f]{64}")
_IN_MEMORY_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Original:
    """Where a picture's bytes are.

    Attributes:
        path: its address, as the library stores and shows it: a file; an archive, `/` and a member; or a URL.
        file: the file on the disk that holds the bytes.
        member: where in that file, as `Member` writes it; None where the whole file is the picture.
    """

    path: str
    file: str
    member: str | None = None

    @classmethod
    def of(cls, path: str, held: str | None, kept_in: str = "") -> Original:
        """What the columns `files.path` and `files.held` mean.

        Args:
            path: the address.
            held: None for a file of its own; from `in_archive` or `as_kept`.
            kept_in: the folder with the copies that the library keeps.

        Raises:
            LocatorError: `held` is something else.
        """
        if held is None:
            return cls(path, path)
        kind, _, rest = held.partition(" ")
        if kind == "kept" and _SHA256.fullmatch(rest) and kept_in:
            return cls(path, kept_path(kept_in, rest))
        length, _, locator = rest.partition(" ")
        raw = os.fsencode(path)
        if kind == "in" and length.isdecimal() and len(length) < 10 and 0 < int(length) == raw.find(b"/", int(length)):
            return cls(path, os.fsdecode(raw[: int(length)]), str(Member.parse(locator)))
        raise LocatorError(f"{held[:80]!r} does not say where a picture's bytes are", remedy="Index again.")

    def is_there(self) -> bool:
        """Whether the file that holds the bytes exists."""
        return os.path.exists(self.file)

    def open(self, limits: ArchiveLimits | None = None) -> BufferedReader | SpooledTemporaryFile[bytes]:
        """The picture's own bytes, to be read from the beginning; a member is expanded to a nameless file first.

        Raises:
            OSError: the file cannot be read.
            MemberError: the member cannot.
        """
        if self.member is None:
            return open_regular(self.file)
        copy = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # the caller closes it
        try:
            for piece in MemberReader(limits).pieces(self.file, Member.parse(self.member)):
                copy.write(piece)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return copy

    def sha256(self, reader: MemberReader) -> str | None:
        """SHA-256 of the bytes, hex; None where they cannot be read: the decoder will meet and name the obstacle."""
        try:
            if self.member is None:
                with open_regular(self.file) as file:
                    return hashlib.file_digest(file, "sha256").hexdigest()
            digest = hashlib.sha256()
            for piece in reader.pieces(self.file, Member.parse(self.member)):
                digest.update(piece)
        except (OSError, MemberError):
            return None
        return digest.hexdigest()


def in_archive(archive: str, member: Member) -> str:
    """What `files.held` says of a member of an archive."""
    return f"in {len(os.fsencode(archive))} {member}"


def in_moved_archive(held: str, before: bytes, after: bytes) -> str:
    """The same where a folder at or above the archive has got another path; what is in no archive stays as it is.

    Args:
        held: what `files.held` has said.
        before: the folder's path.
        after: its path from now on.

    Returns:
        What `files.held` says now; nothing where `before` lies in the archive, which cannot move in parts.
    """
    kind, _, rest = held.partition(" ")
    length, _, locator = rest.partition(" ")
    if kind != "in" or not length.isdecimal() or len(length) >= 10:
        return held
    return "" if len(before) > int(length) else f"in {int(length) - len(before) + len(after)} {locator}"


def as_kept(sha256: str) -> str:
    """What `files.held` says of a picture of which the library keeps a copy."""
    return f"kept {sha256}"


def kept_path(kept_in: str, sha256: str) -> str:
    """Where a copy that the library keeps lies."""
    return os.path.join(kept_in, sha256[:2], sha256)


def archive_of(held: str | None, path: str) -> str | None:
    """The archive in which a picture lies; None where it lies in none."""
    if held is None or not held.startswith("in "):
        return None
    return os.fsdecode(os.fsencode(path)[: int(held.split(" ", 2)[1])])


def archive_above(path: str) -> str | None:
    """The archive that an address below one names: the part that is a file on the disk; None where there is none."""
    above = os.path.dirname(path)
    while above not in ("", "/"):
        if os.path.lexists(above):
            return above if os.path.isfile(above) else None
        above = os.path.dirname(above)
    return None


def original_at(path: str, limits: ArchiveLimits | None = None) -> Original:
    """The picture at a path that a person names, which may lead into an archive: `holiday.zip/beach/1.jpg`.

    What is not there, or not in the archive, is taken for a plain file: whoever opens it names the obstacle.
    """
    whole = os.path.abspath(path)
    archive = None if os.path.lexists(whole) else archive_above(whole)
    if archive is None or not is_archive_name(archive):
        return Original(path, path)
    try:
        member = list_archive(archive, limits).members.get(whole[len(archive) + 1 :])
    except (OSError, NotArchiveError):
        member = None
    return Original(path, path) if member is None else Original(path, archive, str(member))
