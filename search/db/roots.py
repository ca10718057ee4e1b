"""The folders that were given to `index`, and what is passed over or followed in each."""

from __future__ import annotations

import os

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from search.db.images import below_or_at
from search.db.schema import File, Root
from search.errors import NotFoundError
from search.folder_rules import FolderRules, read_rules


def rules_of(root: Root) -> FolderRules:
    """The rules of a root.

    Raises:
        LibraryError: what is stored is not a set of rules.
    """
    return read_rules(root.path, root.rules)


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def covering_root(session: Session, path: str) -> Root | None:
    """The nearest root at or above `path`."""
    covering = [root for root in session.scalars(select(Root)) if is_below(path, root.path)]
    return max(covering, key=lambda root: len(root.path), default=None)


def root_for(session: Session, path: str) -> Root:
    """The root that covers `path`: an existing root above it, or a new one."""
    return covering_root(session, path) or add_root(session, path)


def add_root(session: Session, path: str) -> Root:
    """A new root."""
    root = Root(path=path, last_scanned_at=None)
    session.add(root)
    session.flush()
    return root


def root_paths(session: Session) -> list[str]:
    """Paths of all roots, sorted."""
    return sorted(session.scalars(select(Root.path)))


def all_rules(session: Session) -> dict[str, FolderRules]:
    """Every root's path with its rules, in the order of paths.

    Raises:
        LibraryError: what is stored is not a set of rules.
    """
    return {root.path: rules_of(root) for root in sorted(session.scalars(select(Root)), key=lambda root: root.path)}


def remembered_path(session: Session, given: str) -> str:
    """The path under which the library knows it: with links resolved, or as a walk through a link came to it.

    Args:
        session: open for reading.
        given: a folder or file as a person names it; it need not be on the disk any more.

    Raises:
        NotFoundError: the library has nothing at or below it.
    """
    through_links = os.path.abspath(given)
    parent, name = os.path.split(through_links)
    for path in dict.fromkeys([os.path.realpath(given), os.path.join(os.path.realpath(parent), name), through_links]):
        found: ColumnElement[bool] = or_(
            select(File.id).where(below_or_at(File.path, path)).exists(),
            select(Root.id).where(below_or_at(Root.path, path)).exists(),
        )
        if session.scalar(select(found)):
            return path
    roots = session.scalar(select(func.count()).select_from(Root)) or 0
    raise NotFoundError(
        f"{given}: the library holds nothing at or below this path",
        remedy="`deixis status` lists the folders that it holds." if roots else "It holds no folder at all.",
    )
