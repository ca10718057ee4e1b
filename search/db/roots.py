"""The folders that were given to `index`, and what is passed over or followed in each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from search.db.chunks import chunks
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


def is_url(path: str) -> bool:
    """Whether a path is the URL of a fetched picture, or of a server."""
    return path.startswith(("http://", "https://"))


def outermost(paths: Sequence[str]) -> list[str]:
    """Those of sorted paths that lie below no other of them."""
    named = set(paths)
    return [path for path in paths if not any(above in named for above in folders_above(path))]


def folders_above(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first."""
    while (parent := os.path.dirname(path)) != path:
        yield (path := parent)


def covering_root(session: Session, path: str) -> Root | None:
    """The nearest root at or above `path`."""
    covering = [
        root
        for some in chunks([path, *folders_above(path)])
        for root in session.scalars(select(Root).where(Root.path.in_(some)))
    ]
    return max(covering, key=lambda root: len(root.path), default=None)


def root_for(session: Session, path: str) -> Root:
    """The root that covers `path`: an existing root above it, or a new one."""
    return covering_root(session, path) or add_root(session, path)


def roots_for(session: Session, paths: Sequence[str]) -> dict[str, Root]:
    """The same for many paths, by path, with one look at all roots."""
    known = {root.path: root for root in session.scalars(select(Root))}
    found: dict[str, Root] = {}
    for path in paths:
        root = next((known[one] for one in (path, *folders_above(path)) if one in known), None)
        if root is None:
            root = known[path] = Root(path=path, last_scanned_at=None)
            session.add(root)
        found[path] = root
    session.flush()
    return found


def add_root(session: Session, path: str) -> Root:
    """A new root."""
    root = Root(path=path, last_scanned_at=None)
    session.add(root)
    session.flush()
    return root


def mark_scanned(session: Session, root_ids: Iterable[int]) -> None:
    """Note that roots have been gone through."""
    for some in chunks(sorted({*root_ids})):
        session.execute(update(Root).where(Root.id.in_(some)).values(last_scanned_at=datetime.now(UTC)))


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
    on_disk = [os.path.realpath(given), os.path.join(os.path.realpath(parent), name), through_links]
    for path in [given.rstrip("/")] if is_url(given) else dict.fromkeys(on_disk):
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
