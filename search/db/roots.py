"""The folders that were given to `index`, and what is passed over or followed in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.schema import Root
from search.errors import LibraryError


@dataclass(frozen=True, slots=True)
class FolderRules:
    """What `index` was told about one root; patterns are gitignore's, relative to the root.

    Attributes:
        exclude: what is passed over.
        include: what is looked at all the same: it wins over `exclude` and over every other reason.
        follow_links: go through symbolic links to folders.
    """

    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    follow_links: bool = False

    def __bool__(self) -> bool:
        return bool(self.exclude or self.include or self.follow_links)

    def with_more(
        self, exclude: Sequence[str] = (), include: Sequence[str] = (), follow_links: bool | None = None
    ) -> FolderRules:
        """These rules and more; a pattern that is now asked for the other way round leaves the side it was on."""
        return FolderRules(
            exclude=tuple(dict.fromkeys([p for p in self.exclude if p not in include] + list(exclude))),
            include=tuple(dict.fromkeys([p for p in self.include if p not in exclude] + list(include))),
            follow_links=self.follow_links if follow_links is None else follow_links,
        )

    def as_json(self) -> dict[str, Any] | None:
        """What `roots.rules` holds; None where there are none."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()} if self else None


def rules_of(root: Root) -> FolderRules:
    """The rules of a root.

    Raises:
        LibraryError: what is stored is not a set of rules.
    """
    if root.rules is None:
        return FolderRules()
    stored = root.rules if isinstance(root.rules, dict) else {"": None}
    lists = [stored.get(name, []) for name in ("exclude", "include")]
    follow = stored.get("follow_links", False)
    sound = all(isinstance(some, list) and all(isinstance(p, str) for p in some) for some in lists)
    if not sound or not isinstance(follow, bool) or not stored.keys() <= {"exclude", "include", "follow_links"}:
        raise LibraryError(
            f"what is passed over below {root.path} cannot be read from the database",
            remedy=f"Give the rules again: deixis index --clear-rules --exclude … {root.path}",
        )
    return FolderRules(tuple(lists[0]), tuple(lists[1]), follow)


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
