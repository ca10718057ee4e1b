"""Read tar files, plain or compressed as a whole: their headers, one after the other.

Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import os
from io import BufferedReader
from typing import Protocol

from vision.archives.expanding import Expanding, Packing
from vision.archives.listing import Listing, needs_head
from vision.archives.member import MOST_BYTES, ArchiveLimits, Member, MemberError
from vision.archives.names import from_bytes
from vision.decoder.known import HEAD_BYTES

BLOCK_BYTES = 512
_MAX_HEADER_BYTES = 1024 * 1024
_REGULAR = (b"0", b"\0", b"7")
_LINKS = (b"1", b"2", b"3", b"4", b"6")


class _Source(Protocol):
    position: int

    def read(self, size: int) -> bytes: ...
    def skip_to(self, position: int) -> bool: ...


class _Plain:
    """An uncompressed file, with the same questions as `Expanding`."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self.position = 0
        file.seek(0)

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self.position += len(data)
        return data

    def skip_to(self, position: int) -> bool:
        self.position = self._file.seek(min(position, self._size))
        return position <= self._size


def list_tar(file: BufferedReader, packing: Packing | None, limits: ArchiveLimits) -> Listing:
    """Read all headers; what is wrong with the archive is said in the listing."""
    listing = Listing("tar")
    try:
        source: _Source = _Plain(file) if packing is None else Expanding(file, packing, limits)
        _read(source, listing, limits)
    except MemberError as error:
        listing.problem = f"{error.code}: {error.reason}"
    return listing


def checksum_fits(block: bytes) -> bool:
    """Whether a block is a header whose checksum is right; some programs sum signed bytes."""
    try:
        said = int(block[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return False
    bare = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(bare)
    return said in (unsigned, unsigned - 256 * sum(byte > 127 for byte in bare))


def _read(source: _Source, listing: Listing, limits: ArchiveLimits) -> None:
    extra: dict[str, bytes] = {}
    seen = 0
    while block := source.read(BLOCK_BYTES):
        if len(block) < BLOCK_BYTES:
            raise MemberError("corrupt", "It is cut short in the middle of a header.")
        if not block.strip(b"\0"):
            return
        if not checksum_fits(block):
            if not seen and not extra:
                raise MemberError("corrupt", "It is no tar file.")
            raise MemberError("corrupt", "It is damaged: a header's checksum is wrong.")
        size, start = _size(block, extra), source.position
        kind = block[156:157]
        if kind in (b"x", b"g", b"L", b"K"):
            _take_extra(source, kind, size, extra)
        else:
            seen += 1
            if seen > limits.max_members:
                raise MemberError("too_large", f"It holds more than {limits.max_members:,} members.")
            _take_member(source, listing, block, extra)
            extra = {}
        if not source.skip_to(start + -(-size // BLOCK_BYTES) * BLOCK_BYTES) and source.position < start + size:
            raise MemberError("corrupt", "It is cut short in the middle of a member.")
    # Some programs leave the mark out; an archive that was cut between two members looks the same.
    raise MemberError("corrupt", "It ends without the mark of its end, and may be cut short.")


def _take_extra(source: _Source, kind: bytes, size: int, extra: dict[str, bytes]) -> None:
    if size > _MAX_HEADER_BYTES:
        raise MemberError("corrupt", f"One of its headers has {size:,} bytes.")
    content = source.read(size)
    if kind == b"L":
        extra["path"] = content.rstrip(b"\0")
    elif kind == b"x":
        extra.update(_pax(content))


def _take_member(source: _Source, listing: Listing, block: bytes, extra: dict[str, bytes]) -> None:
    kind, size, start = block[156:157], _size(block, extra), source.position
    name = from_bytes(extra.get("path") or _name(block))
    if kind == b"5" or name.endswith("/"):
        return
    member = Member("tar", start, size, mtime_ns=_mtime_ns(block, extra))
    sparse = kind == b"S" or any(key.startswith("GNU.sparse") for key in extra)
    if kind in _LINKS:
        member = member.unread("link")
    elif sparse or kind not in _REGULAR:
        member = member.unread("packed_otherwise")
    # Looked at before it is known whether the archive goes so far: the listing must not name what is not there.
    head = source.read(min(size, HEAD_BYTES)) if needs_head(name) and member.kind == "tar" else b""
    if member.kind == "tar" and isinstance(source, _Plain) and not _reaches(source, start + size):
        raise MemberError("corrupt", "It is cut short in the middle of a member.")
    address = listing.add(name, member, head)
    if address is not None and not head:
        listing.hold(address, source.read(size))


def _reaches(source: _Plain, end: int) -> bool:
    position = source.position
    reached = source.skip_to(end)
    source.skip_to(position)
    return reached


def _name(block: bytes) -> bytes:
    name, prefix = (block[start:end].split(b"\0", 1)[0] for start, end in ((0, 100), (345, 500)))
    # GNU's own kind has dates where ustar has the beginning of the path.
    return prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name


def _size(block: bytes, extra: dict[str, bytes]) -> int:
    try:
        size = int(extra["size"]) if "size" in extra else _number(block[124:136])
    except ValueError as error:
        raise MemberError("corrupt", "It is damaged: a header holds no size.") from error
    # Of links and devices nothing follows, whatever is written there.
    size = 0 if block[156:157] in _LINKS else size
    if not 0 <= size < MOST_BYTES:
        raise MemberError("corrupt", f"It is damaged: a member of {size:,} bytes.")
    return size


def _number(field: bytes) -> int:
    if field[:1] in (b"\x80", b"\xff"):  # GNU: binary, for what octal digits cannot hold
        return int.from_bytes(field[1:], "big", signed=field[:1] == b"\xff")
    return int(field.split(b"\0", 1)[0].strip() or b"0", 8)


def _mtime_ns(block: bytes, extra: dict[str, bytes]) -> int:
    try:
        seconds = float(extra["mtime"]) if "mtime" in extra else float(_number(block[136:148]))
        return int(seconds * 1e9)
    except (ValueError, OverflowError):
        return 0


def _pax(content: bytes) -> dict[str, bytes]:
    """The records of an extended header: `<length> <key>=<value>\\n` each."""
    found: dict[str, bytes] = {}
    while content:
        length, space, _ = content.partition(b" ")
        if not space or not length.isdigit() or not len(length) + 1 < int(length[:10]) <= len(content):
            break
        key, _, value = content[len(length) + 1 : int(length) - 1].partition(b"=")
        found[key.decode("utf-8", "replace")] = value
        content = content[int(length) :]
    return found
