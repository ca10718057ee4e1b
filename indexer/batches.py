"""A stream in pieces of one size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def in_batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in order, `size` at a time; what is left comes last."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
