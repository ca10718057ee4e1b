"""What `index` was told about one root: what is passed over, what is not, and whether links are followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from search.errors import LibraryError


@dataclass(frozen=True, slots=True)
class FolderRules:
    """What `index` was told about one root; patterns are gitignore's, relative to the root.

    Attributes:
        exclude: what is passed over.
        include: what is looked at all the same: it wins over `exclude` and over every other reason.
        follow_links: go through symbolic links to folders.
        archives: open archives.
    """

    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    follow_links: bool = False
    archives: bool = False

    def __bool__(self) -> bool:
        return bool(self.exclude or self.include or self.follow_links or self.archives)

    def with_more(
        self,
        exclude: Sequence[str] = (),
        include: Sequence[str] = (),
        follow_links: bool | None = None,
        archives: bool | None = None,
    ) -> FolderRules:
        """These rules and more; a pattern that is now asked for the other way round leaves the side it was on."""
        return FolderRules(
            exclude=tuple(dict.fromkeys([p for p in self.exclude if p not in include] + list(exclude))),
            include=tuple(dict.fromkeys([p for p in self.include if p not in exclude] + list(include))),
            follow_links=self.follow_links if follow_links is None else follow_links,
            archives=self.archives if archives is None else archives,
        )

    def as_json(self) -> dict[str, Any] | None:
        """What `roots.rules` holds; None where there are none."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()} if self else None


def read_rules(path: str, stored: Any) -> FolderRules:
    """The rules of a root from what `roots.rules` holds.

    Args:
        path: the root, for messages.
        stored: the JSON value; None where nothing was said.

    Raises:
        LibraryError: it is not a set of rules.
    """
    if stored is None:
        return FolderRules()
    known: dict[str, Any] = stored if isinstance(stored, dict) else {"": None}
    lists: list[Any] = [known.get(name, []) for name in ("exclude", "include")]
    follow, archives = known.get("follow_links", False), known.get("archives", False)
    sound = all(isinstance(some, list) and all(isinstance(p, str) for p in some) for some in lists)
    sound = sound and isinstance(follow, bool) and isinstance(archives, bool)
    if not sound or not known.keys() <= {"exclude", "include", "follow_links", "archives"}:
        raise LibraryError(
            f"what is passed over below {path} cannot be read from the database",
            remedy=f"Give the rules again: deixis index --clear-rules --exclude … {path}",
        )
    return FolderRules(tuple(lists[0]), tuple(lists[1]), follow, archives)
