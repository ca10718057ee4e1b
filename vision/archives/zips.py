"""Read zip files: the directory at their end, and one member at a time.

Source: PKWARE APPNOTE.TXT 6.3.10; WinZip's AES description for method 99.
"""

from __future__ import annotations

import calendar
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

from vision.archives.expanding import PIECE_BYTES, zip_inflater
from vision.archives.listing import Listing, needs_head
from vision.archives.member import MOST_BYTES, ArchiveLimits, Member, MemberError
from vision.archives.names import from_zip
from vision.decoder.known import HEAD_BYTES

_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MAX_DIRECTORY_BYTES = 512 * 1024 * 1024
_DOS, _UNIX, _NTFS, _VFAT = 0, 3, 10, 14
_READ_METHODS = (0, 8, 12, 14)
_AES = 99


@dataclass(frozen=True, slots=True)
class _Directory:
    """Where the directory is: `shift` is what stands before the archive in its file."""

    start: int
    size_bytes: int
    entries: int
    shift: int


def has_directory(file: BufferedReader) -> bool:
    """Whether a zip file's directory stands at the end, whatever stands before it."""
    return _find_end(file) is not None


def list_zip(file: BufferedReader, limits: ArchiveLimits) -> Listing:
    """Read the directory; what is wrong with it is said in the listing."""
    listing = Listing("zip")
    try:
        directory = _directory(file)
        if directory.entries > limits.max_members:
            raise MemberError("too_large", f"It holds more than {limits.max_members:,} members.")
        file.seek(directory.start)
        read = list(_entries(file.read(directory.size_bytes), directory))
        overlapping = _overlapping([member for _, member in read], directory.start)
        for number, (name, found) in enumerate(read):
            member = found.unread("overlapping") if number in overlapping and found.kind == "zip" else found
            listing.add(name, member, _head(file, name, member))
    except MemberError as error:
        listing.problem = f"{error.code}: {error.reason}"
    return listing


def read_zip_member(file: BufferedReader, member: Member, limits: ArchiveLimits) -> Iterator[bytes]:
    """The bytes of a member, in pieces; not one more than the directory says.

    Raises:
        MemberError: corrupt, expands_too_much, unsupported_format; also after pieces were given.
    """
    limits.require_sober(member.size_bytes, member.packed_bytes)
    crc = size = 0
    for piece in _expanded(file, member):
        size += len(piece)
        if size > member.size_bytes:
            raise MemberError("corrupt", "It expands to more bytes than its archive says.")
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != member.size_bytes or crc != member.crc:
        raise MemberError("corrupt", "Its bytes are not those of which its archive has the checksum.")


def _expanded(file: BufferedReader, member: Member) -> Iterator[bytes]:
    file.seek(member.offset)
    local = file.read(_LOCAL.size)
    if len(local) < _LOCAL.size or local[:4] != b"PK\x03\x04":
        raise MemberError("corrupt", "It does not begin where its archive says.")
    file.seek(member.offset + _LOCAL.size + sum(_LOCAL.unpack(local)[-2:]))
    left = member.packed_bytes
    if member.method == 0:
        while left > 0 and (piece := file.read(min(left, PIECE_BYTES))):
            left -= len(piece)
            yield piece
        return
    packed = file.read(min(left, PIECE_BYTES))
    left -= len(packed)
    inflater, before = zip_inflater(member.method, packed)
    inflater.push(packed[before:])
    while not inflater.ended:
        piece = inflater.take(PIECE_BYTES)
        if piece:
            yield piece
        elif not inflater.ended:
            packed = file.read(min(left, PIECE_BYTES))
            left -= len(packed)
            if not packed:  # LZMA need not say where it ends; all else is told by its size and its checksum
                return
            inflater.push(packed)


def _head(file: BufferedReader, name: str, member: Member) -> bytes:
    if not needs_head(name) or member.kind == "no":
        return b""
    try:
        return next(iter(_expanded(file, member)), b"")[:HEAD_BYTES]
    except MemberError:
        return b""


def _find_end(file: BufferedReader) -> tuple[int, bytes] | None:
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - _END.size - 0xFFFF))
    tail = file.read()
    place = len(tail)
    while (place := tail.rfind(b"PK\x05\x06", 0, place)) >= 0:
        if place + _END.size <= len(tail):
            comment = _END.unpack_from(tail, place)[-1]
            if place + _END.size + comment <= len(tail):
                return start + place, tail[place : place + _END.size]
    return None


def _directory(file: BufferedReader) -> _Directory:
    found = _find_end(file)
    if found is None:
        raise MemberError("corrupt", "It is cut short: the directory of a zip file stands at its end, and is missing.")
    end, record = found
    _, disk, first_disk, _, entries, size_bytes, offset, _ = _END.unpack(record)
    if disk or first_disk not in (0, 0xFFFF):
        raise MemberError("unsupported_format", "It is one part of a split archive; those are not read.")
    file.seek(max(0, end - _END64_PLACE.size))
    place = file.read(_END64_PLACE.size)
    if 0xFFFFFFFF in (size_bytes, offset) or entries == 0xFFFF:
        wide = _wide_end(file, place)
        if wide is not None:
            end, entries, size_bytes, offset = wide
    shift = end - size_bytes - offset
    if shift < 0 or size_bytes > _MAX_DIRECTORY_BYTES:
        raise MemberError("corrupt", "Its directory is not where the end of the file says.")
    return _Directory(end - size_bytes, size_bytes, entries, shift)


def _wide_end(file: BufferedReader, place: bytes) -> tuple[int, int, int, int] | None:
    if place[:4] != b"PK\x06\x07":
        return None
    start = _END64_PLACE.unpack(place)[2]
    file.seek(start)
    record = file.read(_END64.size)
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        raise MemberError("corrupt", "Its directory (ZIP64) is not where the end of the file says.")
    fields = _END64.unpack(record)
    return start, fields[7], fields[8], fields[9]


def _entries(data: bytes, directory: _Directory) -> Iterator[tuple[str, Member]]:
    place = count = 0
    while place + _ENTRY.size <= len(data) and data[place : place + 4] == b"PK\x01\x02":
        fields = _ENTRY.unpack_from(data, place)
        name_end = place + _ENTRY.size + fields[10]
        end = name_end + fields[11] + fields[12]
        if end > len(data):
            break
        raw = data[place + _ENTRY.size : name_end]
        extra = _extra_fields(data[name_end : name_end + fields[11]])
        system, flags = fields[1] >> 8, fields[3]
        name = _unicode_name(extra.get(0x7075, b""), raw) or from_zip(
            raw, utf8=bool(flags & 0x800), dos=system in (_DOS, _NTFS, _VFAT)
        )
        count += 1
        if not name.endswith("/"):
            yield name, _member(fields, extra.get(1, b""), system, directory.shift)
        place = end
    if place != len(data) or count % 0x10000 != directory.entries % 0x10000:
        raise MemberError("corrupt", f"Its directory is damaged behind {count:,} members.")


def _member(fields: tuple[int, ...], wide: bytes, system: int, shift: int) -> Member:
    flags, method, crc = fields[3], fields[4], fields[7]
    values = [fields[9], fields[8], fields[16]]  # size, packed, offset: the order of ZIP64's field
    for number, value in enumerate(values):
        if value == 0xFFFFFFFF and len(wide) >= 8:
            values[number], wide = struct.unpack_from("<Q", wide)[0], wide[8:]
    size, packed, offset = (min(value, MOST_BYTES) for value in values)
    when = _mtime_ns(fields[6], fields[5])
    member = Member("zip", offset + shift, size, packed, method, crc, when)
    mode = fields[15] >> 16
    if flags & (1 | 0x40 | 0x2000) or method == _AES:
        return member.unread("encrypted")
    if system == _UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return member.unread("link")
    return member if method in _READ_METHODS else member.unread("packed_otherwise")


def _overlapping(members: list[Member], directory_start: int) -> set[int]:
    """Members whose bytes reach into another's, or into the directory: a bomb, or a damaged file."""
    found: set[int] = set()
    order = sorted(range(len(members)), key=lambda number: members[number].offset)
    furthest, holder = -1, -1
    for number in order:
        start = members[number].offset
        end = start + _LOCAL.size + members[number].packed_bytes
        if start < furthest:
            found |= {number, holder}
        if end > directory_start:
            found.add(number)
        if end > furthest:
            furthest, holder = end, number
    return found


def _extra_fields(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while len(data) >= 4:
        kind, length = struct.unpack_from("<2H", data)
        found.setdefault(kind, data[4 : 4 + length])
        data = data[4 + length :]
    return found


def _unicode_name(field: bytes, raw: bytes) -> str | None:
    """The name in UTF-8 that Info-ZIP puts aside, where it belongs to the name in the directory."""
    if len(field) < 6 or field[0] != 1 or struct.unpack_from("<L", field, 1)[0] != zlib.crc32(raw):
        return None
    try:
        return field[5:].decode()
    except UnicodeDecodeError:
        return None


def _mtime_ns(date: int, time: int) -> int:
    """Of DOS's date and time, whose zone nobody knows: read as UTC."""
    year, month, day = 1980 + (date >> 9), date >> 5 & 15, date & 31
    try:
        return calendar.timegm((year, max(1, month), max(1, day), time >> 11, time >> 5 & 63, 2 * (time & 31))) * 10**9
    except (ValueError, OverflowError):
        return 0
