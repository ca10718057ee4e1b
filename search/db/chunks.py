"""Long `IN (…)` lists in pieces that every database accepts."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

LIMIT = 500
"""Parameters in one statement: below SQLite's historic limit of 999 and small enough to plan fast."""


def chunks(items: Sequence[T], size: int = LIMIT) -> Iterator[Sequence[T]]:
    """Yield `items` in order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
