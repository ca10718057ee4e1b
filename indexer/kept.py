"""Whatever ends a job early carries the word of what the job has kept and how to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vision.errors import DeixisError


@contextmanager
def noting(kept: Callable[[], str]) -> Iterator[None]:
    """Add a note (`BaseException.add_note`) to the interrupt or error that leaves this block.

    Args:
        kept: says it at that moment.
    """
    try:
        yield
    except (KeyboardInterrupt, DeixisError, OSError, MemoryError) as error:
        error.add_note(kept())
        raise


def go_on(count: int, what: str) -> str:
    """`12 pictures of this run are in the library; the same command goes on from there`."""
    if count == 0:
        return "nothing of this run is in the library yet; the same command begins it again"
    return f"{count} {what} of this run are in the library; the same command goes on from there"
