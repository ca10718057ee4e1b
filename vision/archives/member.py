"""One file in an archive: where its bytes are, what reading it may cost, and why it is not read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from vision.errors import DeixisError

Kind = Literal["zip", "tar", "no"]

MOST_BYTES = 2**59
"""No file is so long: 18 digits are enough for every place in one."""

FREE_BYTES = 64 * 1024 * 1024
"""What expands to no more than this is never taken for a bomb."""

REASONS = {
    "encrypted": "It is encrypted.",
    "link": "It is a link, a device or a pipe, and no file.",
    "nested_archive": "It is an archive in an archive, and those are not opened.",
    "packed_otherwise": "It is packed in a way that is not read (sparse, split, or by a method other than stored, "
    "deflate, bzip2 and LZMA).",
    "overlapping": "Its bytes are those of another member, too: no honest archive is made so.",
}
"""Why the directory alone says that a member is not read, with the sentence that people see."""

_WRITTEN = re.compile("(zip( [0-9]{1,19}){4} [0-9a-f]{8}|tar( [0-9]{1,18}){2}|no( [0-9]{1,19}){2} [a-z_]+)")
_CODES = {"link": "not_a_file", "packed_otherwise": "unsupported_format", "overlapping": "expands_too_much"}


class MemberError(Exception):
    """A member, or a whole archive, is not read.

    Attributes:
        code: a key of `vision.images.REFUSALS`.
        reason: a sentence for people.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What reading an archive may cost.

    Attributes:
        max_file_bytes: a larger member is refused.
        max_expansion: what expands to more than 64 MiB and to more than so many times its packed bytes is refused.
        max_total_bytes: a compressed tar is read no further than to so many expanded bytes.
        max_members: no more are looked at.
    """

    max_file_bytes: int = 512 * 1024 * 1024
    max_expansion: int = 400
    max_total_bytes: int = 256 * 1024**3
    max_members: int = 1_000_000

    def require_sober(self, size_bytes: int, packed_bytes: int) -> None:
        """Refuse what no picture expands like.

        Raises:
            MemberError: expands_too_much.
        """
        if size_bytes > FREE_BYTES and size_bytes > self.max_expansion * max(1, packed_bytes):
            raise MemberError(
                "expands_too_much",
                f"{packed_bytes:,} packed bytes expand to {size_bytes:,} or more; DEIXIS_MAX_EXPANSION allows "
                f"{self.max_expansion:,} times as many.",
            )


@dataclass(frozen=True, slots=True)
class Member:
    """Where in an archive the bytes of one file are.

    Attributes:
        kind: `zip`, `tar`, or `no` for what its archive's directory alone says is not read.
        offset: of the local header in a zip file; of the bytes in the (expanded) tar file.
        size_bytes: of the file.
        packed_bytes: in a zip file.
        method: of packing in a zip file, its number there.
        crc: CRC-32 of the file, as the zip file says.
        mtime_ns: when the file was changed, as the archive says.
        why: of `no`, a key of `REASONS`.
    """

    kind: Kind
    offset: int
    size_bytes: int
    packed_bytes: int = 0
    method: int = 0
    crc: int = 0
    mtime_ns: int = 0
    why: str = ""

    def unread(self, why: str) -> Member:
        """The same member as one that is not read."""
        return replace(self, kind="no", why=why)

    def require_readable(self) -> None:
        """Refuse what its archive's directory alone says is not read.

        Raises:
            MemberError: it is not.
        """
        if self.kind == "no":
            raise MemberError(_CODES.get(self.why, self.why), REASONS[self.why])

    def __str__(self) -> str:
        """As it is stored; `parse` reads it."""
        if self.kind == "zip":
            return f"zip {self.offset} {self.size_bytes} {self.packed_bytes} {self.method} {self.crc:08x}"
        if self.kind == "tar":
            return f"tar {self.offset} {self.size_bytes}"
        return f"no {self.offset} {self.size_bytes} {self.why}"

    @classmethod
    def parse(cls, text: str) -> Member:
        """Read what `str` wrote.

        Raises:
            LocatorError: it is something else.
        """
        kind, *rest = text.split(" ") if _WRITTEN.fullmatch(text) else [""]
        if kind == "zip":
            offset, size, packed, method, crc = rest
            return cls("zip", int(offset), int(size), int(packed), int(method), int(crc, 16))
        if kind == "tar":
            return cls("tar", int(rest[0]), int(rest[1]))
        if kind == "no" and rest[2] in REASONS:
            return cls("no", int(rest[0]), int(rest[1]), why=rest[2])
        raise LocatorError(f"{text[:80]!r} does not say where in an archive a file is", remedy="Index again.")


class LocatorError(DeixisError):
    """What is stored does not say where a picture's bytes are."""
