"""Read single members; of a compressed tar file, going on from where the last one ended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BufferedReader

from vision.archives.expanding import PIECE_BYTES, Expanding, packing_of
from vision.archives.member import ArchiveLimits, Member, MemberError
from vision.archives.zips import read_zip_member
from vision.opening import open_regular


class MemberReader:
    """Reads members of archives, one at a time.

    Args:
        limits: the defaults of `ArchiveLimits` when None.
    """

    def __init__(self, limits: ArchiveLimits | None = None) -> None:
        self._limits = limits or ArchiveLimits()
        self._begun: tuple[tuple[str, int, int, int, int], Expanding] | None = None

    def pieces(self, archive: str, member: Member) -> Iterator[bytes]:
        """The bytes of a member.

        Raises:
            MemberError: they are not read; also after pieces were given.
            OSError: the archive cannot be read.
        """
        member.require_readable()
        if member.size_bytes > self._limits.max_file_bytes:
            raise MemberError(
                "too_large",
                f"It has {member.size_bytes:,} bytes; DEIXIS_MAX_FILE_BYTES allows {self._limits.max_file_bytes:,}.",
            )
        with open_regular(archive) as file:
            if member.kind == "zip":
                yield from read_zip_member(file, member, self._limits)
            else:
                yield from self._of_tar(file, archive, member)

    def read(self, archive: str, member: Member) -> bytes:
        """The same at once; raises as `pieces` does."""
        return b"".join(self.pieces(archive, member))

    def _of_tar(self, file: BufferedReader, archive: str, member: Member) -> Iterator[bytes]:
        packing = packing_of(file.read(8))
        left = member.size_bytes
        if packing is None:
            file.seek(member.offset)
            while left > 0 and (piece := file.read(min(left, PIECE_BYTES))):
                left -= len(piece)
                yield piece
        else:
            info = os.fstat(file.fileno())
            identity = (archive, info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns)
            begun, self._begun = self._begun, None
            if begun is not None and begun[0] == identity and begun[1].position <= member.offset:
                source = begun[1]
                source.attach(file)
            else:
                source = Expanding(file, packing, self._limits)
            source.skip_to(member.offset)
            while left > 0 and (piece := source.read(min(left, PIECE_BYTES))):
                left -= len(piece)
                yield piece
            self._begun = (identity, source)
        if left:
            raise MemberError("corrupt", "Its archive ends before it does.")
