"""Which file system a folder lies on: known by more than its device number, which changes with every port and boot."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from search.db.roots import is_below

_TABLE = Path("/proc/self/mountinfo")

_STABLE_FSID = frozenset("ext2 ext3 ext4 btrfs zfs jfs erofs squashfs overlay tmpfs".split())
"""File systems whose `f_fsid` is their own; that of vfat, exfat, ntfs3, xfs and f2fs is a device number."""

_BY_SOURCE = ("nfs", "cifs", "smb", "fuse", "9p", "virtiofs", "afs", "ceph", "glusterfs", "davfs", "lustre")
"""File systems that are known by where they come from: `nas:/volume1/photo`, `//nas/photo`, `me@host:/pictures`."""

_SILENT = (*_BY_SOURCE, "vboxsf", "prl_fs", "fakeowner")
"""File systems that others change without the kernel being told: those of other machines, and of a machine's host."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of the kernel's table.

    Attributes:
        device: `st_dev`.
        point: the folder on which it lies.
    """

    fstype: str
    source: str
    point: str
    device: int

    @property
    def is_silent(self) -> bool:
        """Whether changes may come without a word of the kernel."""
        return self.fstype.startswith(_SILENT) and self.fstype != "fuseblk"


def mount_table(mountinfo: Path = _TABLE) -> list[Mount]:
    """All mounts, the latest last; none on a system that has no such table."""
    try:
        lines = mountinfo.read_bytes().splitlines()
    except OSError:
        return []
    table = []
    for line in lines:
        left, _, right = os.fsdecode(line).partition(" - ")
        fields, (fstype, source, *_) = left.split(" "), [*right.split(" "), "", ""]
        if len(fields) > 4 and fields[2].replace(":", "").isdecimal():
            major, minor = fields[2].split(":")
            device = os.makedev(int(major), int(minor))
            table.append(Mount(fstype, _unescape(source), _unescape(fields[4]), device))
    return table


class Mounts:
    """Tells file systems by a short token, the same after a restart or on another port.

    `fsid:` the file system's own number; `uuid:` what udev read from the disk; `from:` the server and share. A disk
    that tells none of these is known by its size (`size:`), and one that tells nothing by its device number alone.

    Args:
        mountinfo: the kernel's table; a system without one tells sizes.
        uuids: udev's links from a file system's UUID to its disk.
    """

    def __init__(self, mountinfo: Path = _TABLE, uuids: Path = Path("/dev/disk/by-uuid")) -> None:
        self._mountinfo = mountinfo
        self._uuids = uuids
        self._tokens: dict[int, str] = {}
        self._table: dict[int, Mount] | None = None
        self._by_disk: dict[int, str] | None = None
        self._same: set[tuple[str, str]] = set()

    def token(self, path: str, device: int) -> str:
        """The token of the file system on which `path` lies, whose `st_dev` is `device`."""
        if device not in self._tokens:
            self._tokens[device] = self._token(path, device)
        return self._tokens[device]

    def token_of_folder(self, folder: str) -> tuple[str, int]:
        """Token and `st_dev` of a folder.

        Raises:
            OSError: it cannot be asked.
        """
        device = os.stat(folder).st_dev
        return self.token(folder, device), device

    def seen_again(self, before: str, now: str) -> None:
        """A file that was remembered on `before` lies unaltered, to the instant of its last change, on `now`.

        No copy of a disk has that instant: the two are one file system, unless both tell that they are not.
        """
        if before != now and not (_is_certain(before) and _kind(before) == _kind(now)):
            self._same.add((before, now))

    def is_same(self, before: str, now: str, device: int) -> bool:
        """Whether a remembered token, or a device number of an older library, means what is there now."""
        return before in (now, str(device)) or (before, now) in self._same

    def _token(self, path: str, device: int) -> str:
        try:
            facts = os.statvfs(path)
        except OSError:
            return str(device)
        mount = self._mounts().get(device) or self._around(path)
        fstype = mount.fstype if mount else ""
        if facts.f_fsid and fstype in _STABLE_FSID:
            return f"fsid:{facts.f_fsid & (2**64 - 1):016x}"
        if mount and (uuid := self._uuid(mount, device)):
            return "uuid:" + _digest(uuid)
        if mount and fstype.startswith(_BY_SOURCE) and fstype != "fuseblk":
            # A bare label such as `mergerfs` or a share's tag says little: the place must be the same, too.
            label = mount.source if set(":/") & set(mount.source) else f"{mount.source} at {mount.point}"
            return "from:" + _digest(f"{fstype.removesuffix('4')} {label}")
        if not facts.f_blocks or (mount and "/" not in mount.source):
            return str(device)
        return "size:" + _digest(f"{fstype} {facts.f_blocks} {facts.f_frsize}")

    def _mounts(self) -> dict[int, Mount]:
        if self._table is None:
            self._table = {}
            for mount in mount_table(self._mountinfo):
                self._table.setdefault(mount.device, mount)
        return self._table

    def _around(self, path: str) -> Mount | None:
        """The mount in which a path lies: a subvolume has a device number that the table does not list."""
        inside = [m for m in self._mounts().values() if is_below(path, m.point)]
        return max(inside, key=lambda mount: len(mount.point), default=None)

    def _uuid(self, mount: Mount, device: int) -> str | None:
        if self._by_disk is None:
            self._by_disk = {}
            try:
                links = sorted(self._uuids.iterdir())
            except OSError:
                links = []
            for link in links:
                if (disk := _disk(str(link))) is not None:
                    self._by_disk[disk] = link.name
        return self._by_disk.get(device) or self._by_disk.get(_disk(mount.source) or -1)


def _kind(token: str) -> str:
    return token.partition(":")[0] if ":" in token else "device"


def _is_certain(token: str) -> bool:
    return _kind(token) in ("fsid", "uuid", "from")


def _disk(path: str) -> int | None:
    try:
        return os.stat(path).st_rdev if path.startswith("/") else None
    except OSError:
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:26]


def _unescape(field: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field
