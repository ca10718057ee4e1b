"""Sort single places at which something has changed: what is to be walked, what to be examined, what is gone."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from indexer.archives import Unreadable
from indexer.beside import is_beside, pictures_of
from indexer.mounts import Mounts
from indexer.passed_over import MARKED_FOLDERS
from indexer.patterns import IGNORE_FILE
from indexer.rules import HOME_NAMES, Place, Rules
from indexer.walk import NotPicture, Seen, examine, may_be_picture
from search.db.roots import folders_above
from vision.archives.names import is_archive_name
from vision.originals import archive_above

_MARKERS = frozenset((IGNORE_FILE, *MARKED_FOLDERS))


@dataclass(slots=True)
class Changes:
    """What is to be done about changed places, by the root whose rules hold.

    Attributes:
        walks: folders and roots that are to be compared whole, each with its root; none below another.
        files: what was found at single paths.
        gone: paths at which nothing is any more.
    """

    walks: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    gone: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def sort_changes(paths: Iterable[str], roots: Collection[str], rules: Rules, mounts: Mounts) -> Changes:
    """Sort changed paths; what no root covers or a rule passes over is left out.

    Args:
        paths: absolute, as the system tells them: those through links stand for the places themselves.
        roots: of the library.
        rules: of all roots.
        mounts: tell which file system a file lies on.
    """
    sorting = _Sorting(roots, rules, mounts)
    for path in sorted(set(paths)):
        sorting.sort(path)
    return sorting.done()


class _Sorting:
    def __init__(self, roots: Collection[str], rules: Rules, mounts: Mounts) -> None:
        self._roots = roots
        self._rules = rules
        self._mounts = mounts
        self._changes = Changes()
        self._real: dict[str, str] = {}
        self._places: dict[str, Place | Unreadable] = {}
        self._beside: dict[str, set[str]] = defaultdict(set)
        self._seen: set[str] = set()

    def sort(self, path: str) -> None:
        """Take one path."""
        try:
            root = self._root_of(path)
            if root is not None and path != root:
                path = self._without_links(path, root)
                root = self._root_of(path)
        except (OSError, ValueError):
            return  # A name that no file system has.
        if root is not None and not self._rules.in_own_home(path):
            self._take(path, root)

    def done(self) -> Changes:
        """What is to be done, once all paths were taken."""
        for folder, names in self._beside.items():
            for path in pictures_of(folder, names):
                root = self._root_of(path)
                if root is not None:
                    self._take_file(path, root)
        walks = self._changes.walks
        for folder in list(walks):
            if any(above in walks for above in folders_above(folder)):
                del walks[folder]
        for files in self._changes.files.values():
            files[:] = [one for one in files if not any(above in walks for above in folders_above(one.path))]
        return self._changes

    def _root_of(self, path: str) -> str | None:
        return next((one for one in (path, *folders_above(path)) if one in self._roots), None)

    def _without_links(self, path: str, root: str) -> str:
        """The path with the links of its folders resolved: the system tells of a folder by any way that leads there."""
        folder, name = os.path.split(path)
        if folder not in self._real:
            self._real[folder] = os.path.realpath(folder)
        real = self._real[folder]
        if real != folder and self._rules.follows_links(folder):
            self._changes.walks[root] = root  # Which way counts is known to a walk of it all.
        return os.path.join(real, name)

    def _take(self, path: str, root: str) -> None:
        folder, name = os.path.split(path)
        if path != root and name in _MARKERS:
            self._take_folder(folder, root)
        if path != root and is_beside(name):
            self._beside[folder].add(name)
        try:
            info = os.lstat(path)
        except NotADirectoryError:
            archive = archive_above(path)  # What is told of a member is looked for in its archive.
            if archive is None:
                self._changes.gone[root].append(path)
            else:
                self._take_file(archive, root)
        except FileNotFoundError:
            self._changes.gone[root].append(path)
        except OSError as error:
            self._changes.files[root].append(Unreadable(path, f"cannot be examined: {error.strerror}"))
        else:
            if path == root or stat.S_ISDIR(info.st_mode):
                self._take_folder(path, root)
            elif stat.S_ISLNK(info.st_mode) and os.path.isdir(path):
                if self._rules.follows_links(folder):
                    self._changes.walks[root] = root
            else:
                self._take_file(path, root)

    def _take_folder(self, path: str, root: str) -> None:
        """A folder is walked, and a root; what a rule passes over is not, where nothing below is asked for."""
        if path == root:
            self._changes.walks[path] = root
            return
        place = self._inside(os.path.dirname(path), root)
        if isinstance(place, Unreadable):
            self._changes.files[root].append(place)
        elif self._rules.kind(place, os.path.basename(path), folder=True) is None:
            self._changes.walks[path] = root
        elif self._rules.leads_on(path):
            self._changes.walks[root] = root

    def _take_file(self, path: str, root: str) -> None:
        folder, name = os.path.split(path)
        place = self._inside(folder, root)
        if isinstance(place, Unreadable):
            self._changes.files[root].append(place)
        elif is_archive_name(name):  # For rules it is a folder as well.
            if self._rules.kind(place, name, folder=True) is None and self._rules.opens_archives(path):
                self._changes.walks[path] = root
        elif path not in self._seen and self._rules.kind(place, name, folder=False) is None:
            self._seen.add(path)
            seen = examine(path, self._mounts) if may_be_picture(path) else NotPicture(path)
            self._changes.files[root].append(seen)

    def _inside(self, folder: str, root: str) -> Place | Unreadable:
        """A folder as a walk from the root stands in it."""
        way = [folder]
        while way[-1] != root and way[-1] not in self._places:
            way.append(os.path.dirname(way[-1]))
        for path in reversed(way):
            if path not in self._places:
                self._places[path] = self._entered(path, root)
        return self._places[folder]

    def _entered(self, path: str, root: str) -> Place | Unreadable:
        outside = Place(root)
        if path != root:
            above = self._places[os.path.dirname(path)]
            if isinstance(above, Unreadable):
                return above
            kind = self._rules.kind(above, os.path.basename(path), folder=True)
            outside = self._rules.inside(above, path, kind)
        present = [name for name in (*_MARKERS, *HOME_NAMES) if os.path.lexists(os.path.join(path, name))]
        try:
            return self._rules.enter(outside, present)[0]
        except (OSError, ValueError) as error:
            return Unreadable(path, f"its {IGNORE_FILE} cannot be read: {error}")
