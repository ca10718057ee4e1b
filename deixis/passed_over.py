"""How commands speak of what is passed over: counts by kind, and what was said about each root."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from deixis.output import printable

if TYPE_CHECKING:
    from indexer.rules import PassedOver
    from search.results import RootInfo


def counted(passed_over: Sequence[PassedOver]) -> Iterator[tuple[int, str]]:
    """`(3, "folders passed over: 2 thumbnails and previews, 1 recycle bins")`, for folders and for files."""
    from indexer.passed_over import KINDS  # noqa: PLC0415  # only `index` needs the table

    for what, folder in (("folders", True), ("files", False)):
        kinds = Counter(entry.kind for entry in passed_over if entry.folder == folder)
        words = ", ".join(f"{count} {KINDS[kind]}" for kind, count in kinds.most_common())
        yield kinds.total(), f"{what} passed over: {words}"


def listed(passed_over: Sequence[PassedOver]) -> Iterator[str]:
    """A line for each, with its kind."""
    from indexer.passed_over import KINDS  # noqa: PLC0415  # as above

    for entry in passed_over:
        yield f"  passed over: {printable(entry.path)}: {KINDS[entry.kind]}"


def described(root: RootInfo) -> str:
    """A root with what was said about it: `/pictures (without raw/; with raw/best/; follows links)`."""
    said = [
        *([f"without {' '.join(root.exclude)}"] if root.exclude else []),
        *([f"with {' '.join(root.include)}"] if root.include else []),
        *(["follows links"] if root.follow_links else []),
        *(["opens archives"] if root.archives else []),
    ]
    return printable(root.path) + (f" ({printable('; '.join(said))})" if said else "")
