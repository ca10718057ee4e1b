"""The folders that were given to `index`, and what is passed over or followed in each."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.schema import Root
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
