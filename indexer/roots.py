"""Which root a given folder belongs to, and what is remembered about passing over and following there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.patterns import compiled, moved_below
from indexer.places import PathError
from indexer.rules import Rules, place_at
from search.db.roots import add_root, all_rules, is_below, root_paths, roots_for, rules_of
from search.db.schema import Root
from search.folder_rules import FolderRules
from vision.archives.listing import holds_archive
from vision.archives.names import is_archive_name


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What a person says about passing over and following; it is remembered with the root.

    Attributes:
        exclude: gitignore patterns, relative to the folders that are named, of what is passed over.
        include: the same of what is looked at whatever else says no.
        follow_links: go through links to folders from now on, or no longer; None leaves it as it is.
        clear: forget first what was said before.
        archives: open archives from now on, or no longer; None leaves it as it is.
    """

    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    follow_links: bool | None = None
    clear: bool = False
    archives: bool | None = None


def require_outside(home: Path, given: Sequence[str]) -> None:
    """Refuse to index what the library itself has made.

    Raises:
        PathError: a path is the library's home or lies in it.
    """
    for path in given:
        if is_below(path, os.path.realpath(home)):
            raise PathError(
                f"{path} lies in the home of the library",
                remedy="Name a folder of pictures: deixis index ~/Pictures",
            )


def claim_roots(session: Session, given: Sequence[str], change: RuleChange) -> None:
    """Make roots of the given folders where they are not covered yet, and remember what is said about them.

    A folder that the rules of the root above pass over becomes a root of its own: it was asked for by name.

    Args:
        session: for writing.
        given: absolute paths; none for all roots.
        change: what is said now.

    Raises:
        PatternError: something is not a pattern.
        LibraryError: the rules of a root cannot be read.
    """
    for root in roots_for(session, given).values():
        if change.clear:
            root.rules = None
    if change.clear and not given:
        for root in session.scalars(select(Root)):
            root.rules = None
    session.flush()
    for path, above in roots_for(session, given).items():
        if above.path != path and _is_passed_over(session, above.path, path):
            add_root(session, path)
    if change.exclude or change.include or change.follow_links is not None or change.archives is not None:
        for path, root in roots_for(session, given or root_paths(session)).items():
            _say(root, path, change)
    session.flush()


def rules_here(session: Session, home: Path) -> Rules:
    """The rules of every root; the library's own home is never looked into."""
    return Rules(all_rules(session), {os.path.realpath(home)})


def remember(root: Root, rules: FolderRules) -> None:
    """Write a root's rules.

    Raises:
        PatternError: something is not a pattern.
    """
    compiled(root.path, rules.exclude)
    compiled(root.path, rules.include)
    root.rules = rules.as_json()


def _say(root: Root, path: str, change: RuleChange) -> None:
    compiled(path, change.exclude)  # As it was typed, for the message.
    compiled(path, change.include)
    exclude, include = (
        [moved_below(pattern, path, root.path) for pattern in patterns] for patterns in (change.exclude, change.include)
    )
    remember(root, rules_of(root).with_more(exclude, include, change.follow_links, change.archives))


def _is_passed_over(session: Session, root: str, path: str) -> bool:
    rules = Rules(all_rules(session))
    if not rules.opens_archives(path) and not os.path.isdir(path) and (is_archive_name(path) or holds_archive(path)):
        return True
    try:
        return place_at(rules, root, path)[1] is not None
    except (OSError, ValueError):
        return False  # The walk meets the same file and names it.
