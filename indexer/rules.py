"""Which folders and files are passed over, and why: asked at every step of a walk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from indexer.passed_over import MARKED_FOLDERS, kind_of, kind_of_marked
from indexer.patterns import IGNORE_FILE, Patterns, compiled, read_ignore_file, ways_to
from search.belonging import MARK_FILE
from search.db.roots import is_below
from search.folder_rules import FolderRules
from vision.archives.names import is_archive_name

_IN_A_HOME = ("deixis.db", "segments", "previews")
"""What lies beside the mark in a home that was used, whichever database it has."""

HOME_NAMES = (MARK_FILE, *_IN_A_HOME)
"""By which the home of a library is known, see `is_home`."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A folder or file that was not looked at because of a rule.

    Attributes:
        kind: a key of `indexer.passed_over.KINDS`.
        folder: whether it is a folder, or a link to one.
    """

    path: str
    kind: str
    folder: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which a walk stands.

    Attributes:
        path: absolute, as the walk came to it.
        outer: the kind for which everything here is passed over unless something leads on; None where nothing is.
        ignores: patterns of the ignore files here and above, the nearest last.
    """

    path: str
    outer: str | None = None
    ignores: tuple[Patterns, ...] = ()


@dataclass(frozen=True, slots=True)
class _Level:
    base: str
    exclude: Patterns | None
    include: Patterns | None
    ways: Patterns | None
    follow_links: bool
    archives: bool
    said: str


class Rules:
    """The rules of a walk.

    What a person has asked for goes first: the nearest root's `include`, then its `exclude`. Then come the ignore
    files, the nearest first, the markers such as `.nomedia`, and the table of well-known names.

    Args:
        roots: every root of the library with its rules. A root is looked at wherever it lies.
        homes: folders that hold libraries; never looked into.

    Raises:
        PatternError: a pattern of a root is none.
    """

    def __init__(self, roots: Mapping[str, FolderRules] | None = None, homes: Collection[str] = ()) -> None:
        self._roots = frozenset(roots or ())
        self._homes = frozenset(homes)
        self._levels = {
            base: _Level(
                base,
                compiled(base, rules.exclude),
                compiled(base, rules.include),
                compiled(base, ways_to(rules.include)),
                rules.follow_links,
                rules.archives,
                f"{rules.exclude} {rules.include}",
            )
            for base, rules in (roots or {}).items()
        }

    def in_own_home(self, path: str) -> bool:
        """Whether a path is the home of the library that is indexed, or lies in it."""
        return any(is_below(path, home) for home in self._homes)

    def follows_links(self, folder: str) -> bool:
        """Whether links to folders that lie in `folder` are followed: the nearest root decides."""
        level = self._nearest(folder)
        return level is not None and level.follow_links

    def is_root(self, path: str) -> bool:
        """Whether a path was given by its name."""
        return path in self._roots

    def opens_archives(self, path: str) -> bool:
        """Whether an archive is opened: one that was asked for by its path, or as the nearest root says."""
        if path in self._roots:
            return True
        level = self._nearest(path)
        return level is not None and level.archives

    def _nearest(self, path: str) -> _Level | None:
        """The nearest root at or above a path; lists may bring thousands of roots."""
        while (level := self._levels.get(path)) is None and (above := os.path.dirname(path)) != path:
            path = above
        return level

    def stamp(self, place: Place, path: str) -> str:
        """What changes, but for new versions, when other members of an archive are left out: 64 hex digits.

        Args:
            place: the folder in which it lies.
            path: its own.
        """
        levels = sorted(self._levels.values(), key=lambda level: level.base)
        near = [level for level in levels if is_below(path, level.base) or is_below(level.base, path)]
        said = [f"{level.base} {level.said}" for level in near]
        said += [f"{patterns.base} {patterns.lines}" for patterns in place.ignores]
        return hashlib.sha256(os.fsencode("\n".join([str(place.outer), *said]))).hexdigest()

    def enter(self, place: Place, names: Collection[str]) -> tuple[Place, list[str]]:
        """Stand in a folder whose entries have these names: look at its markers and at its ignore file.

        Returns:
            The place as the rules see it, and complaints about the ignore file.

        Raises:
            OSError: the ignore file cannot be read.
            ValueError: it is none.
        """
        if is_home(names):
            return replace(place, outer="library"), []
        complaints: list[str] = []
        if IGNORE_FILE in names:
            patterns, complaints = read_ignore_file(place.path)
            if patterns is not None:
                place = replace(place, ignores=(*place.ignores, patterns))
        if place.outer is None and not self._asked_for(place.path):
            for marker in MARKED_FOLDERS:
                kind = kind_of_marked(os.path.basename(place.path), marker) if marker in names else None
                if kind is not None:
                    return replace(place, outer=kind), complaints
        return place, complaints

    def kind(self, place: Place, name: str, *, folder: bool) -> str | None:
        """Why an entry of `place` is passed over; None where it is looked at."""
        path = os.path.join(place.path, name)
        if path in self._homes or place.outer == "library":
            return "library"
        asked = self._asked(path, folder=folder)
        if asked is not None:
            return None if asked else "excluded"
        if place.outer is not None:
            return place.outer
        for patterns in reversed(place.ignores):
            said = patterns.says(path, folder=folder)
            if said is not None:
                return "deixisignore" if said else None
        return kind_of(os.path.basename(place.path), name, folder=folder)

    def inside(self, place: Place, path: str, kind: str | None) -> Place:
        """The place of a folder that lies in another; ignore files above a root say nothing about what is in it."""
        return Place(path, kind, () if path in self._roots else place.ignores)

    def leads_on(self, path: str) -> bool:
        """Whether something below a folder that is passed over is asked for by its path."""
        if path in self._homes:
            return False
        inside = path.rstrip("/") + "/"
        if any(root.startswith(inside) for root in self._roots):
            return True
        return any(
            level.ways is not None and is_below(path, level.base) and level.ways.says(path, folder=True)
            for level in self._levels.values()
        )

    def _asked_for(self, path: str) -> bool:
        return path in self._roots or self._asked(path, folder=True) is True

    def _asked(self, path: str, *, folder: bool) -> bool | None:
        """What a person has said about a path: True to look at it, False to pass it over, None for nothing."""
        if path in self._roots:
            return True
        # The nearest root alone: a root in a folder that is passed over was asked for all the same.
        level = self._nearest(path)
        if level is not None and level.include is not None and level.include.says(path, folder=folder):
            return True
        if level is not None and level.exclude is not None and level.exclude.says(path, folder=folder):
            return False
        return None


def is_home(names: Collection[str]) -> bool:
    """Whether a folder with these names in it is the home of a library: its previews are nobody's pictures."""
    return MARK_FILE in names and any(name in names for name in _IN_A_HOME)


def place_at(rules: Rules, root: str, folder: str) -> tuple[Place, str | None]:
    """Go from a root down to a folder below it.

    Returns:
        The place, not yet entered, and the kind for which the rules pass it over; None where they do not.

    Raises:
        OSError: an ignore file on the way cannot be read.
        ValueError: it is none.
    """
    place, kind = Place(root), None
    for name in os.path.relpath(folder, root).split("/") if folder != root else []:
        present = [marker for marker in (IGNORE_FILE, *MARKED_FOLDERS) if _is_there(place.path, marker)]
        place, _ = rules.enter(place, present)
        path = os.path.join(place.path, name)
        kind = rules.kind(place, name, folder=path != folder or os.path.isdir(path) or is_archive_name(path))
        place = rules.inside(place, path, kind)
    own, _ = rules.enter(Place(folder), [marker for marker in MARKED_FOLDERS if _is_there(folder, marker)])
    return place, kind or own.outer


def _is_there(folder: str, name: str) -> bool:
    return os.path.lexists(os.path.join(folder, name))
