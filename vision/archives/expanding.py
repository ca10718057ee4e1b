"""Expand gzip, bzip2, xz and the methods of zip, piece by piece and within limits."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from io import BufferedReader
from typing import Any, Literal

from vision.archives.member import ArchiveLimits, MemberError

Packing = Literal["gz", "bz2", "xz"]

PIECE_BYTES = 256 * 1024
_MAX_DICTIONARY_BYTES = 128 * 1024 * 1024
_MAGIC: tuple[tuple[bytes, Packing], ...] = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\0", "xz"))


def packing_of(head: bytes) -> Packing | None:
    """How a file is compressed as a whole, from its first bytes."""
    return next((packing for magic, packing in _MAGIC if head.startswith(magic)), None)


class Inflater:
    """One compressed stream: `push` packed bytes, `take` expanded ones."""

    def __init__(self, decoder: Any, *, keeps_input: bool) -> None:
        self._decoder = decoder
        self._keeps_input = keeps_input
        self._waiting = b""

    @property
    def ended(self) -> bool:
        """Whether the stream says that it has ended."""
        return bool(self._decoder.eof)

    @property
    def rest(self) -> bytes:
        """What was pushed and stands behind the end."""
        return bytes(self._decoder.unused_data)

    def push(self, packed: bytes) -> None:
        """Add packed bytes."""
        self._waiting += packed

    def take(self, most: int) -> bytes:
        """At most so many expanded bytes; none where more packed ones are wanted first.

        Raises:
            MemberError: corrupt.
        """
        try:
            if self._keeps_input:
                if self._decoder.eof or (self._decoder.needs_input and not self._waiting):
                    return b""
                data, self._waiting = self._decoder.decompress(self._waiting, most), b""
            else:
                data = self._decoder.decompress(self._waiting, most)
                self._waiting = self._decoder.unconsumed_tail
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
            raise MemberError("corrupt", f"Its packed bytes are damaged: {error}.") from error
        return bytes(data)


def whole_file_inflater(packing: Packing) -> Inflater:
    """For a file that is compressed as a whole."""
    if packing == "gz":
        return Inflater(zlib.decompressobj(31), keeps_input=False)
    if packing == "bz2":
        return Inflater(bz2.BZ2Decompressor(), keeps_input=True)
    return Inflater(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=2 * _MAX_DICTIONARY_BYTES), keeps_input=True)


def zip_inflater(method: int, head: bytes) -> tuple[Inflater, int]:
    """For a member of a zip file: deflate, bzip2 or LZMA.

    Args:
        method: its number in the zip file.
        head: the first packed bytes, 9 at least where there are so many.

    Returns:
        The inflater, and how many packed bytes stand before what is to be pushed.

    Raises:
        MemberError: unsupported_format, corrupt.
    """
    if method == 8:
        return Inflater(zlib.decompressobj(-15), keeps_input=False), 0
    if method == 12:
        return Inflater(bz2.BZ2Decompressor(), keeps_input=True), 0
    if method != 14:
        raise MemberError("unsupported_format", f"It is packed by method {method}, which is not read.")
    if len(head) < 9 or struct.unpack_from("<H", head, 2)[0] != 5:
        raise MemberError("corrupt", "Its packed bytes are damaged: no LZMA header.")
    coding, dictionary = struct.unpack_from("<BI", head, 4)
    if coding >= 225 or dictionary > _MAX_DICTIONARY_BYTES:
        raise MemberError("corrupt", "Its LZMA header asks for what no program writes.")
    how = {"id": lzma.FILTER_LZMA1, "dict_size": max(4096, dictionary)}
    how |= {"lc": coding % 9, "lp": coding // 9 % 5, "pb": coding // 45}
    try:
        return Inflater(lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[how]), keeps_input=True), 9
    except (lzma.LZMAError, ValueError) as error:
        raise MemberError("corrupt", f"Its LZMA header is damaged: {error}.") from error


class Expanding:
    """A file that is compressed as a whole, read from its beginning onwards.

    Attributes:
        position: expanded bytes that were read.
    """

    def __init__(self, file: BufferedReader, packing: Packing, limits: ArchiveLimits) -> None:
        self.position = 0
        self._packing = packing
        self._limits = limits
        self._inflater = whole_file_inflater(packing)
        self._packed = 0
        self._ahead = b""
        self.attach(file)

    def attach(self, file: BufferedReader) -> None:
        """Go on with the same file, opened anew: nothing keeps its disk busy between two members."""
        self._file = file
        file.seek(self._packed)

    def read(self, size: int) -> bytes:
        """So many bytes, fewer only at the end.

        Raises:
            MemberError: corrupt, expands_too_much, too_large.
        """
        pieces, left = [], size
        while left > 0 and (piece := self._piece(min(left, PIECE_BYTES))):
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)

    def skip_to(self, position: int) -> bool:
        """Read on to a position ahead; False where the file ends before it. Raises as `read` does."""
        while self.position < position:
            if not self._piece(min(position - self.position, PIECE_BYTES)):
                return False
        return True

    def _piece(self, most: int) -> bytes:
        while True:
            if self._inflater.ended:  # another stream may follow, or the zeros of a tape's last block
                rest = self._inflater.rest or self._fetch()
                if not rest.strip(b"\0"):
                    return b""
                self._inflater = whole_file_inflater(self._packing)
                self._inflater.push(rest)
            piece = self._inflater.take(most)
            if piece:
                self.position += len(piece)
                self._limits.require_sober(self.position, self._packed)
                if self.position > self._limits.max_total_bytes:
                    allowed = f"DEIXIS_MAX_ARCHIVE_BYTES allows {self._limits.max_total_bytes:,}"
                    raise MemberError("too_large", f"It expands to more bytes than {allowed}.")
                return piece
            if not self._inflater.ended:
                packed = self._fetch()
                if not packed:
                    raise MemberError("corrupt", "It is cut short.")
                self._inflater.push(packed)

    def _fetch(self) -> bytes:
        packed = self._file.read(PIECE_BYTES // 4)
        self._packed += len(packed)
        return packed
