"""What may kill a worker is noted before it is begun; what has killed some is tried alone, and at last left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from search.jobs.quarantine import CRASHES, QUARANTINED, HandFile, Item, acquit, crashes_of
from search.library import Library

T = TypeVar("T")

_WHY = f"{CRASHES} workers died while it was in their hand; it is left out until --retry-refused"


class Hands:
    """The hands of one job.

    Args:
        library: open.
        file: where it is noted what they hold.
    """

    def __init__(self, library: Library, file: HandFile) -> None:
        self._library = library
        self._file = file
        self._known: dict[str, dict[str, int]] = {}

    def take(
        self,
        work: str,
        items: Sequence[T],
        identify: Callable[[T], Item],
        do: Callable[[Sequence[T]], None],
        leave_out: Callable[[T, str, str], None],
    ) -> None:
        """Do something with a batch: those over which workers have died one by one, the others together.

        Args:
            work: what is done, as `search.jobs.quarantine.InHand`.
            do: called with parts of the batch.
            leave_out: called with each item that is not tried any more, a code and a sentence.
        """
        known = self._crashes(work)
        together = [item for item in items if identify(item).key not in known]
        self._do(work, together, identify, do)
        for item in items:
            key = identify(item).key
            if known.get(key, 0) >= CRASHES:
                leave_out(item, QUARANTINED, _WHY)
            elif key in known:
                self._do(work, [item], identify, do)
                with self._library.write() as session:
                    acquit(session, work, [key])
                del known[key]

    def forgive(self, work: str) -> None:
        """Try again what is left out."""
        known = self._crashes(work)
        if known:
            with self._library.write() as session:
                acquit(session, work, list(known), quarantined=True)
            known.clear()

    def _do(
        self, work: str, items: Sequence[T], identify: Callable[[T], Item], do: Callable[[Sequence[T]], None]
    ) -> None:
        if items:
            self._file.note(work, [identify(item) for item in items])
            do(items)
            self._file.empty()

    def _crashes(self, work: str) -> dict[str, int]:
        if work not in self._known:
            with self._library.read() as session:
                self._known[work] = crashes_of(session, work)
        return self._known[work]


def take_in_hand(
    hands: Hands | None,
    work: str,
    items: Sequence[T],
    identify: Callable[[T], Item],
    do: Callable[[Sequence[T]], None],
    leave_out: Callable[[T, str, str], None],
) -> None:
    """As `Hands.take`; where no job's hands are given, all together."""
    if hands is None:
        do(items)
    else:
        hands.take(work, items, identify, do, leave_out)
