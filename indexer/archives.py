"""Look into archives during a walk: those that are as they were are not read again."""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from indexer.mounts import Mounts
from indexer.rules import PassedOver, Place, Rules
from search.db.archives import ArchiveFact
from search.db.images import FileFact, KnownFile, path_fault
from vision.archives.listing import Listing, NotArchiveError, list_archive
from vision.archives.member import ArchiveLimits
from vision.originals import in_archive

_KEPT_LISTINGS = 8
"""A listing holds the texts of a compressed archive, too."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder, file or member that could not be looked at.

    Attributes:
        blocks: whether nothing can be said of what is remembered at or below the path.
        code: the kind of reason.
    """

    path: str
    reason: str
    blocks: bool = True
    code: str = "unreadable"


class Listings:
    """What is in the archives that were asked about last.

    Args:
        limits: what reading one may cost.
    """

    def __init__(self, limits: ArchiveLimits | None = None) -> None:
        self._limits = limits or ArchiveLimits()
        self._kept: OrderedDict[tuple[str, int, int, int], Listing] = OrderedDict()

    def of(self, path: str) -> Listing:
        """The listing of an archive.

        Raises:
            NotArchiveError: it is none.
            OSError: it cannot be read.
        """
        info = os.stat(path)
        key = (path, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if key not in self._kept:
            self._kept[key] = list_archive(path, self._limits)
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT_LISTINGS:
            self._kept.popitem(last=False)
        return self._kept[key]


class Memory(Protocol):
    """What is remembered of archives."""

    def archive(self, path: str) -> ArchiveFact | None:
        """An archive as it was read before."""

    def count(self, path: str) -> int:
        """How many files lie in it."""

    def members(self, path: str) -> Iterator[KnownFile]:
        """Yield them."""


class _Nothing:
    """Knows no archive; fulfils `Memory`."""

    def archive(self, path: str) -> ArchiveFact | None:
        return None

    def count(self, path: str) -> int:
        return 0

    def members(self, path: str) -> Iterator[KnownFile]:
        return iter(())


@dataclass(slots=True)
class Archives:
    """The archives of one run.

    Attributes:
        listings: shared with whoever reads what speaks of their members.
        memory: what is remembered of them.
        read: those that were read now, whole.
        as_before: paths of those that did not have to be.
    """

    listings: Listings = field(default_factory=Listings)
    memory: Memory = field(default_factory=_Nothing)
    read: list[ArchiveFact] = field(default_factory=list)
    as_before: set[str] = field(default_factory=set)

    def look(
        self, path: str, place: Place, rules: Rules, mounts: Mounts
    ) -> Iterator[FileFact | Unreadable | PassedOver]:
        """Tell of every picture in an archive.

        Args:
            path: of the archive.
            place: the folder in which it lies.
            rules: hold in it as in a folder.
        """
        try:
            info = os.stat(path)
            if not stat.S_ISREG(info.st_mode):
                yield Unreadable(path, "not a regular file")
                return
            device, rules_sha256 = mounts.token(path, info.st_dev), rules.stamp(place, path)
            facts = (info.st_size, info.st_mtime_ns, info.st_ctime_ns, rules_sha256)
            before = self.memory.archive(path)
            if before is not None and _compared(before) == facts and before.members == self.memory.count(path):
                self.as_before.add(path)
                yield from _faults(path, before.faults)
                for file in self.memory.members(path):
                    yield FileFact(file.path, file.size_bytes, file.mtime_ns, device, file.ctime_ns, file.held)
                return
            listing = self.listings.of(path)
        except OSError as error:
            yield Unreadable(path, f"cannot be examined: {error.strerror}")
            return
        except NotArchiveError:
            yield Unreadable(path, "It is neither a zip file nor a tar file.", code="corrupt")
            return
        yield from _faults(path, listing.faults)
        found = 0
        for entry in _members_of(listing, path, place, rules, device, info.st_ctime_ns):
            found += isinstance(entry, FileFact) and path_fault(entry.path) is None
            yield entry
        if listing.problem is not None:
            code, _, reason = listing.problem.partition(": ")
            yield Unreadable(path, reason, code=code)
            return
        self.read.append(ArchiveFact(path, *facts, found, tuple(listing.faults)))


def _compared(fact: ArchiveFact) -> tuple[int, int, int, str]:
    return fact.size_bytes, fact.mtime_ns, fact.ctime_ns, fact.rules_sha256


def _faults(path: str, faults: Sequence[tuple[str, str]]) -> Iterator[Unreadable]:
    for name, said in faults:
        code, _, reason = said.partition(": ")
        yield Unreadable(f"{path}: {name}", reason, blocks=False, code=code)


def _members_of(
    listing: Listing, archive: str, place: Place, rules: Rules, device: str, ctime_ns: int
) -> Iterator[FileFact | PassedOver]:
    folders: dict[str, Place] = {"": rules.inside(place, archive, None)}
    for address, member in listing.members.items():
        parts = address.split("/")
        inside = folders[""]
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if folder not in folders:
                kind = rules.kind(inside, parts[depth - 1], folder=True)
                if kind is not None and inside.outer is None:
                    yield PassedOver(f"{archive}/{folder}", kind, True)
                folders[folder] = rules.inside(inside, f"{archive}/{folder}", kind)
            inside = folders[folder]
        kind = rules.kind(inside, parts[-1], folder=False)
        if kind is None:
            # A zip file has a checksum of each member; of a tar file only the bytes can say that nothing changed.
            changed = None if listing.kind == "zip" else ctime_ns
            held = in_archive(archive, member)
            yield FileFact(f"{archive}/{address}", member.size_bytes, member.mtime_ns, device, changed, held)
        elif inside.outer is None:
            yield PassedOver(f"{archive}/{address}", kind, False)
