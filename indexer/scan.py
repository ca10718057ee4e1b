"""Hold what a walk finds against what the library remembers: new, altered, unchanged, returned, gone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Protocol

from indexer.absence import at_or_below, mount_changed
from indexer.archives import Archives, Unreadable
from indexer.mounts import Mounts
from indexer.rules import PassedOver, Rules
from indexer.stages.spool import IdSet
from indexer.walk import NotPicture, Seen, Walk
from search.db.images import FileFact, KnownFile

_PART = 500
"""Files that are compared at a time."""


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """How a scan goes about it.

    Attributes:
        root: the root at or above the scanned folder; None where that is the root itself.
        rules: what is passed over.
        retry_refused: try files again that were refused, though they have not changed.
        rescan: look at the content of files whose facts have not changed.
    """

    root: str | None = None
    rules: Rules = field(default_factory=Rules)
    retry_refused: bool = False
    rescan: bool = False


@dataclass(slots=True)
class Scan:
    """What a part of one root looks like now, held against what the library remembers.

    Attributes:
        known: what the library remembers of the files of this part, by path.
        work: files whose pixels must be looked at (new, altered, or without a vector of this model).
        touched: something about the file changed, but neither size nor date: the bytes decide whether it is work.
        unchanged: files that need nothing.
        returned: remembered as missing, back unaltered, vector still there.
        noted: facts to remember of unaltered files: an older library, or a disk under another number.
        refused_before: unchanged since they were refused; not tried again.
        gone: remembered, and the file system says with authority that they are not there.
        excluded: remembered, and passed over now.
        unavailable: remembered, not seen, but their mount or folder cannot be asked: left as they are.
        passed_over: folders and files that a rule leaves out.
        not_pictures: files that neither name nor content calls a picture.
        unreadable: folders and files that could not be listed or examined.
        as_before: archives of the run, so far, that did not have to be read again.
    """

    known: Mapping[str, KnownFile] = field(default_factory=dict)
    work: list[FileFact] = field(default_factory=list)
    touched: list[tuple[FileFact, KnownFile]] = field(default_factory=list)
    unchanged: list[KnownFile] = field(default_factory=list)
    returned: list[KnownFile] = field(default_factory=list)
    noted: list[tuple[FileFact, KnownFile]] = field(default_factory=list)
    refused_before: list[KnownFile] = field(default_factory=list)
    gone: list[KnownFile] = field(default_factory=list)
    excluded: list[KnownFile] = field(default_factory=list)
    unavailable: list[KnownFile] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    not_pictures: list[str] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    as_before: set[str] = field(default_factory=set)


_LISTS = tuple(one.name for one in fields(Scan) if one.default_factory is list)


class Memory(Protocol):
    """What is remembered at or below the scanned folder."""

    def at(self, paths: Sequence[str]) -> Mapping[str, KnownFile]:
        """Look up files, by path."""

    def below(self) -> Iterator[KnownFile]:
        """Yield every file, once."""

    def holds_below(self, folder: str) -> bool:
        """Whether files below this folder are remembered."""


class _Given:
    """What is remembered, as a mapping in memory; fulfils `Memory`."""

    def __init__(self, known: Mapping[str, KnownFile]) -> None:
        self._known = known

    def at(self, paths: Sequence[str]) -> Mapping[str, KnownFile]:
        return {path: self._known[path] for path in paths if path in self._known}

    def below(self) -> Iterator[KnownFile]:
        return iter(self._known.values())

    def holds_below(self, folder: str) -> bool:
        return any(path.startswith(folder + "/") for path in self._known)


def scan_root(start: str, known: Mapping[str, KnownFile], options: ScanOptions | None = None) -> Scan:
    """Compare a folder with what is known of it, all at once.

    Args:
        start: as `resolve_root` returns it.
        known: everything remembered at or below it, by path.
        options: the root it belongs to, its rules, and what is looked at again.
    """
    whole = Scan(known)
    for part in scan_parts(start, _Given(known), options):
        for name in _LISTS:
            getattr(whole, name).extend(getattr(part, name))
    return whole


def scan_parts(
    start: str, memory: Memory, options: ScanOptions | None = None, archives: Archives | None = None
) -> Iterator[Scan]:
    """Compare a folder with what is remembered of it, part by part: neither side is ever in memory as a whole.

    Args:
        start: as `resolve_root` returns it.
        memory: what is remembered; looked up before each part is yielded.
        options: as for `scan_root`.
        archives: of the run.

    Yields:
        What was found, in the order of the walk; behind it what is remembered and was not found.
    """
    options = options or ScanOptions()
    archives = archives or Archives()
    run = _Scanning(memory, options, archives)
    walk = Walk(options.root or start, start, options.rules, run.mounts, memory.holds_below, archives)
    yield from run.parts(walk)
    yield from run.missing(start)


def scan_files(paths: Sequence[str], memory: Memory, options: ScanOptions) -> Iterator[Scan]:
    """The same for many files that were given by their names.

    Args:
        paths: none of them of a folder or an archive.
        memory: what is remembered of them.
        options: rules, and what is looked at again.
    """
    run = _Scanning(memory, options, Archives())
    yield from run.parts(entry for path in paths for entry in Walk(path, path, options.rules, run.mounts))
    yield from run.missing(None)


def examined_part(entries: Sequence[Seen], memory: Memory, options: ScanOptions, mounts: Mounts) -> Scan:
    """Compare single files with what is remembered of them.

    Args:
        entries: what was found, and where something could not be looked at.
        memory: what is remembered.
        options: the root they lie in, and what is looked at again.
        mounts: with which they were examined.
    """
    return _Scanning(memory, options, Archives(), mounts).part(entries)


def vanished_part(files: Sequence[KnownFile], root: str) -> Scan:
    """Tell what is gone of files that are not there any more, where their root is there and not empty.

    Args:
        files: remembered, of which somebody has seen that they are not there.
        root: the folder above them, whose drive may have gone with them.
    """
    try:
        with os.scandir(root) as entries:
            blocked, empty = set[str](), next(entries, None) is None
    except OSError:
        blocked, empty = {root}, False
    return _missing(files, Scan(), Mounts(), passed_over=set(), blocked=blocked, empty_root=empty)


class _Scanning:
    """What one scan has to keep until its end: which rows were seen, and what nothing can be said of."""

    def __init__(self, memory: Memory, options: ScanOptions, archives: Archives, mounts: Mounts | None = None) -> None:
        self.mounts = mounts or Mounts()
        self._memory = memory
        self._options = options
        self._archives = archives
        self._seen = IdSet()
        self._blocked: set[str] = set()
        self._passed_over: set[str] = set()
        self._anything = False

    def parts(self, entries: Iterable[Seen]) -> Iterator[Scan]:
        some: list[Seen] = []
        for entry in entries:
            some.append(entry)
            if len(some) >= _PART:
                yield self.part(some)
                some = []
        yield self.part(some)

    def part(self, entries: Sequence[Seen]) -> Scan:
        known = self._memory.at([entry.path for entry in entries if isinstance(entry, FileFact)])
        scan = Scan(known, as_before=self._archives.as_before)
        for entry in entries:
            match entry:
                case FileFact():
                    _place(entry, known.get(entry.path), scan, self._options, self.mounts)
                case Unreadable():
                    scan.unreadable.append(entry)
                case PassedOver():
                    scan.passed_over.append(entry)
                case NotPicture():
                    scan.not_pictures.append(entry.path)
        for file in known.values():
            self._seen.add(file.file_id)
        self._blocked |= {entry.path for entry in scan.unreadable if entry.blocks}
        self._passed_over |= {entry.path for entry in scan.passed_over}
        self._anything |= any(isinstance(entry, FileFact | NotPicture) for entry in entries) or bool(self._blocked)
        return scan

    def missing(self, start: str | None) -> Iterator[Scan]:
        """Tell what is gone from what merely cannot be reached: a vanished mount removes nothing.

        Args:
            start: the folder that was walked; None for single files.
        """
        # An unplugged drive leaves an empty folder behind. A root that held pictures and shows no entry at all is
        # believed to be unplugged; whoever really emptied it says so with `--prune`.
        empty_root = start is not None and os.path.isdir(start) and not self._anything
        unseen = (file for file in self._memory.below() if file.file_id not in self._seen)
        while some := list(islice(unseen, _PART)):
            yield _missing(
                some,
                Scan(),
                self.mounts,
                passed_over=self._passed_over,
                blocked=self._blocked,
                empty_root=empty_root,
            )


def _missing(
    files: Sequence[KnownFile],
    scan: Scan,
    mounts: Mounts,
    *,
    passed_over: set[str],
    blocked: set[str],
    empty_root: bool,
) -> Scan:
    """Sort what is remembered and was not found."""
    for file in files:
        if file.state == "missing":
            continue
        if at_or_below(file.path, passed_over):
            scan.excluded.append(file)
        elif empty_root or at_or_below(file.path, blocked) or mount_changed(file, mounts):
            scan.unavailable.append(file)
        else:
            scan.gone.append(file)
    return scan


def _place(fact: FileFact, before: KnownFile | None, scan: Scan, options: ScanOptions, mounts: Mounts) -> None:
    facts = (fact.size_bytes, fact.mtime_ns, fact.held)
    if before is None or (before.size_bytes, before.mtime_ns, before.held) != facts:
        scan.work.append(fact)
        return
    # An older library knows no ctime; believing it once is better than reading every picture again.
    unaltered = before.ctime_ns in (None, fact.ctime_ns)
    if unaltered:
        mounts.seen_again(before.device, fact.device)
    if before.state == "refused":
        # Rights are part of what a ctime tells: what was refused for them may be readable now.
        (scan.refused_before.append(before) if unaltered and not options.retry_refused else scan.work.append(fact))
    elif not before.embedded:
        scan.work.append(fact)
    elif not unaltered or options.rescan:
        scan.touched.append((fact, before))
        return
    else:
        (scan.returned if before.state == "missing" else scan.unchanged).append(before)
    if (before.ctime_ns, before.device) != (fact.ctime_ns, fact.device):
        scan.noted.append((fact, before))
