"""Walk the folders below a root and tell of every file: its facts, or why it was not looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from indexer.archives import Archives, Unreadable
from indexer.mounts import Mounts
from indexer.patterns import IGNORE_FILE
from indexer.rules import PassedOver, Place, Rules, place_at
from search.db.images import FileFact
from vision.archives.listing import holds_archive
from vision.archives.names import is_archive_name
from vision.decoder.known import HEAD_BYTES, begins_like_a_picture, is_named_picture
from vision.opening import open_regular


@dataclass(frozen=True, slots=True)
class NotPicture:
    """A file that neither name nor content calls a picture."""

    path: str


Seen = FileFact | Unreadable | PassedOver | NotPicture


class Walk:
    """One walk. Real folders come first, depth first and in the order of names; then those behind links, if followed.

    A folder is walked once, however many links lead to it: what is in the root itself keeps its own path.

    Args:
        root: the root whose rules hold; a folder, or the file itself.
        start: where to begin, at or below the root.
        remembers: whether the library knows files below a folder: a dead link to them is worth a word.
        archives: of the run.
    """

    def __init__(
        self,
        root: str,
        start: str,
        rules: Rules,
        mounts: Mounts,
        remembers: Callable[[str], bool] = lambda _: False,
        archives: Archives | None = None,
    ) -> None:
        self._root = root
        self._start = start
        self._rules = rules
        self._mounts = mounts
        self._remembers = remembers
        self._archives = archives or Archives()
        self._links: list[Place] = []
        self._walked: set[tuple[int, int]] = set()

    def __iter__(self) -> Iterator[Seen]:
        if self._rules.in_own_home(self._start):
            yield PassedOver(self._start, "library", True)
            return
        if not os.path.isdir(self._start):
            if is_archive_name(self._start) or holds_archive(self._start):
                yield from self._archives.look(
                    self._start, Place(os.path.dirname(self._start)), self._rules, self._mounts
                )
            else:
                yield examine(self._start, self._mounts)
            return
        try:
            place, _ = place_at(self._rules, self._root, self._start)
        except (OSError, ValueError) as error:
            yield Unreadable(self._start, f"a {IGNORE_FILE} above it cannot be read: {_what(error)}")
            return
        yield from self._below(replace(place, outer=None))
        # One after the other: each may bring further links to the end of the list.
        for linked in self._links:
            yield from self._below(linked, through_link=True)

    def _below(self, first: Place, *, through_link: bool = False) -> Iterator[Seen]:
        stack = [first]
        while stack:
            place = stack.pop()
            if not self._is_new(place.path) and through_link:
                yield PassedOver(place.path, "linked-twice", True)
                continue
            try:
                with os.scandir(place.path) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                yield Unreadable(place.path, f"the folder cannot be listed: {error.strerror}")
                continue
            try:
                outer = place.outer
                place, complaints = self._rules.enter(place, {entry.name for entry in entries})
            except (OSError, ValueError) as error:
                # Whoever wrote that file wanted something left out; without it nobody knows what.
                yield Unreadable(place.path, f"its {IGNORE_FILE} cannot be read: {_what(error)}")
                continue
            if place.outer != outer:
                yield PassedOver(place.path, place.outer or "", True)
            for complaint in complaints:
                yield Unreadable(os.path.join(place.path, IGNORE_FILE), f"{complaint}; left aside", blocks=False)
            folders: list[Place] = []
            for entry in entries:
                yield from self._entry(entry, place, folders)
            stack.extend(reversed(folders))

    def _entry(self, entry: os.DirEntry[str], place: Place, folders: list[Place]) -> Iterator[Seen]:
        folder = _is_folder(entry)
        kind = self._rules.kind(place, entry.name, folder=folder)
        inside = self._rules.inside(place, entry.path, kind)
        if kind is not None and place.outer is None:
            yield PassedOver(entry.path, kind, folder)
        if folder and (kind is None or self._rules.leads_on(entry.path)):
            if not entry.is_symlink():
                folders.append(inside)
            elif self._rules.follows_links(place.path):
                self._links.append(inside)
            elif kind is None:
                yield PassedOver(entry.path, "link", True)
        elif kind is None and not folder and self._is_archive(entry):
            yield from self._archive(entry, place)
        elif kind is None:
            yield self._file(entry, place)

    def _is_archive(self, entry: os.DirEntry[str]) -> bool:
        return is_archive_name(entry.name) or (self._rules.is_root(entry.path) and holds_archive(entry.path))

    def _archive(self, entry: os.DirEntry[str], place: Place) -> Iterator[Seen]:
        """An archive is a file and a folder: rules for either leave it out."""
        kind = self._rules.kind(place, entry.name, folder=True)
        if kind is None and not self._rules.opens_archives(entry.path):
            kind = "archive"
        if kind is None:
            yield from self._archives.look(entry.path, place, self._rules, self._mounts)
        elif place.outer is None:
            yield PassedOver(entry.path, kind, False)

    def _file(self, entry: os.DirEntry[str], place: Place) -> Seen:
        if may_be_picture(entry.path):
            return examine(entry.path, self._mounts)
        dead = entry.is_symlink() and self._rules.follows_links(place.path) and not os.path.exists(entry.path)
        if dead and self._remembers(entry.path):
            return Unreadable(entry.path, "a link to a folder that is not there")
        return NotPicture(entry.path)

    def _is_new(self, folder: str) -> bool:
        """Note that a folder is walked; False when it has been."""
        if not self._rules.follows_links(folder):
            return True
        try:
            info = os.stat(folder)
        except OSError:
            return True  # Listing it will say so.
        identity = (info.st_dev, info.st_ino)
        new = identity not in self._walked
        self._walked.add(identity)
        return new


def examine(path: str, mounts: Mounts) -> FileFact | Unreadable:
    """What the file system says of a file."""
    try:
        info = os.stat(path)
    except OSError as error:
        return Unreadable(path, f"cannot be examined: {error.strerror}")
    if not stat.S_ISREG(info.st_mode):
        return Unreadable(path, "not a regular file")
    return FileFact(path, info.st_size, info.st_mtime_ns, mounts.token(path, info.st_dev), info.st_ctime_ns)


def may_be_picture(path: str) -> bool:
    """Whether name or content calls a file a picture."""
    if is_named_picture(path):
        return True
    try:
        with open_regular(path) as file:
            return begins_like_a_picture(file.read(HEAD_BYTES))
    except OSError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _what(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
