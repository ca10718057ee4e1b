"""Walk folders and mark what changed: new, altered, unchanged, returned, gone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from search.db.images import FileFact, KnownFile
from vision.decoder.known import HEAD_BYTES, begins_like_a_picture, is_named_picture
from vision.errors import DeixisError


class PathError(DeixisError):
    """A path given to `index` does not exist or cannot be walked."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder or file that the scan could not look at."""

    path: str
    reason: str


@dataclass(slots=True)
class Scan:
    """What one root looks like now, held against what the library remembers.

    Attributes:
        work: files whose pixels must be looked at (new, altered, or without a vector of this model).
        unchanged: files that need nothing.
        returned: remembered as missing, back unaltered, vector still there.
        refused_before: unchanged since they were refused; not tried again.
        gone: remembered, and the file system says with authority that they are not there.
        unavailable: remembered, not seen, but their mount or folder cannot be asked: left as they are.
        not_pictures: files that neither name nor content calls a picture.
        unreadable: folders and files that could not be listed or examined.
    """

    work: list[FileFact] = field(default_factory=list)
    unchanged: list[KnownFile] = field(default_factory=list)
    returned: list[KnownFile] = field(default_factory=list)
    refused_before: list[KnownFile] = field(default_factory=list)
    gone: list[KnownFile] = field(default_factory=list)
    unavailable: list[KnownFile] = field(default_factory=list)
    not_pictures: list[str] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def resolve_root(path: str | Path) -> str:
    """Absolute path with the symbolic links resolved; a root is the place itself, not a way to it.

    Raises:
        PathError: there is nothing at `path`.
    """
    resolved = os.path.realpath(os.fspath(path))
    if not os.path.lexists(resolved):
        raise PathError(
            f"{os.fspath(path)}: no such file or folder",
            remedy="Check the spelling, or connect the drive it lies on. Nothing was removed from the library.",
        )
    return resolved


def scan_root(root: str, known: dict[str, KnownFile], *, retry_refused: bool = False) -> Scan:
    """Compare a root with what is known of it.

    Args:
        root: as `resolve_root` returns it.
        known: everything remembered at or below the root, by path.
        retry_refused: try files again that were refused, though they have not changed.
    """
    scan = Scan()
    seen: set[str] = set()
    for entry in _walk(root, scan):
        if isinstance(entry, Unreadable):
            scan.unreadable.append(entry)
        else:
            seen.add(entry.path)
            _place(entry, known.get(entry.path), scan, retry_refused)
    _settle_missing(root, known, seen, scan)
    return scan


def _place(fact: FileFact, before: KnownFile | None, scan: Scan, retry_refused: bool) -> None:
    same = before is not None and (before.size_bytes, before.mtime_ns) == (fact.size_bytes, fact.mtime_ns)
    if before is None or not same:
        scan.work.append(fact)
    elif before.state == "refused":
        (scan.work.append(fact) if retry_refused else scan.refused_before.append(before))
    elif not before.embedded:
        scan.work.append(fact)
    elif before.state == "missing":
        scan.returned.append(before)
    else:
        scan.unchanged.append(before)


def _walk(root: str, scan: Scan) -> Iterator[FileFact | Unreadable]:
    """Yield every candidate below `root`, depth first, in the order of names; never through a linked folder."""
    if not os.path.isdir(root):
        yield _examine(root)
        return
    stack = [root]
    while stack:
        folder = stack.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Unreadable(folder, f"the folder cannot be listed: {error.strerror}")
            continue
        folders: list[str] = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                folders.append(entry.path)
            elif not _may_be_picture(entry.path):
                scan.not_pictures.append(entry.path)
            else:
                yield _examine(entry.path)
        stack.extend(reversed(folders))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _examine(path: str) -> FileFact | Unreadable:
    try:
        info = os.stat(path)
    except OSError as error:
        return Unreadable(path, f"cannot be examined: {error.strerror}")
    if not stat.S_ISREG(info.st_mode):
        return Unreadable(path, "not a regular file")
    return FileFact(path, info.st_size, info.st_mtime_ns, str(info.st_dev), info.st_ctime_ns)


def _may_be_picture(path: str) -> bool:
    if is_named_picture(path):
        return True
    try:
        # O_NONBLOCK: a FIFO with an innocent name must not hang the scan.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        head = os.read(handle, HEAD_BYTES) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    except OSError:
        return False
    finally:
        os.close(handle)
    return begins_like_a_picture(head)


def _settle_missing(root: str, known: dict[str, KnownFile], seen: set[str], scan: Scan) -> None:
    """Tell what is gone from what merely cannot be reached: a vanished mount removes nothing."""
    blocked = [entry.path for entry in scan.unreadable]
    looked_at = {*seen, *scan.not_pictures, *blocked}
    absent = [file for path, file in known.items() if path not in seen and file.state != "missing"]
    # An unplugged drive leaves an empty folder behind. A root that held pictures and shows no entry at all is
    # believed to be unplugged; whoever really emptied it says so with `--prune`.
    empty_root = os.path.isdir(root) and not looked_at and bool(absent)
    for file in absent:
        if empty_root or _below_any(file.path, blocked) or _mount_changed(file):
            scan.unavailable.append(file)
        else:
            scan.gone.append(file)


def _below_any(path: str, folders: list[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _mount_changed(file: KnownFile) -> bool:
    folder = os.path.dirname(file.path)
    while True:
        try:
            return str(os.stat(folder).st_dev) != file.device
        except FileNotFoundError:
            folder = os.path.dirname(folder)
        except OSError:
            return True
