"""What was in a worker's hand when it died: the items that did so three times are left out from then on."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.job_tables import Suspect
from search.db.limits import MAX_NOTE_CHARS, holdable

CRASHES = 3
"""So many deaths of workers with an item in hand, and it is left out."""

QUARANTINED = "quarantined"
"""Refusal code: workers died over it."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is worked on.

    Attributes:
        key: SHA-256 of the content, hex.
        name: for people, e.g. a path.
    """

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class InHand:
    """What a worker was doing when it was last heard of.

    Attributes:
        work: what was done: `pictures`, or a captioner's or reader's source.
        items: with these.
    """

    work: str
    items: tuple[Item, ...]


class HandFile:
    """Notes what is in hand, beside the database: a batch costs no transaction, and the note outlives the process.

    Args:
        path: of this job's note.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, work: str, items: Sequence[Item]) -> None:
        """Write down what is taken in hand."""
        self._write(json.dumps([work, [[item.key, item.name] for item in items]]))

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # A full disk ends the job where something is committed, not here.
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, text.encode(), 0)
            finally:
                os.close(descriptor)

    def empty(self) -> None:
        """Nothing is in hand any more, and something was."""
        self._write("null")

    def remove(self) -> None:
        """Nothing is in hand, and nothing was."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    @property
    def is_there(self) -> bool:
        """Whether something is or was in hand."""
        return self._path.exists()

    def read(self) -> InHand | None:
        """What was in hand; None where there was nothing or it cannot be read."""
        try:
            work, items = json.loads(self._path.read_text(encoding="utf-8"))
            return InHand(str(work), tuple(Item(str(key), str(name)) for key, name in items))
        except (OSError, ValueError, TypeError):
            return None


def accuse(session: Session, hand: InHand) -> list[Item]:
    """Count a death over each item; returns those that are left out from now on."""
    lost: list[Item] = []
    for item in hand.items:
        row = session.scalar(select(Suspect).where(Suspect.work == hand.work, Suspect.item == item.key))
        if row is None:
            row = Suspect(work=hand.work, item=item.key, crashes=0)
            session.add(row)
        row.name, row.last_at = holdable(item.name, MAX_NOTE_CHARS), datetime.now(UTC)
        row.crashes += 1
        if row.crashes == CRASHES:
            lost.append(item)
        session.flush()
    return lost


def crashes_of(session: Session, work: str) -> dict[str, int]:
    """How often workers have died over each item, by its key."""
    rows = session.execute(select(Suspect.item, Suspect.crashes).where(Suspect.work == work)).all()
    return {row.item: row.crashes for row in rows}


def acquit(session: Session, work: str, keys: Sequence[str], *, quarantined: bool = False) -> int:
    """Forget the deaths over items that went well; returns over how many there were any.

    Args:
        quarantined: also of those that are left out, so that they are tried again.
    """
    count = 0
    for some in chunks(list(keys)):
        these = delete(Suspect).where(Suspect.work == work, Suspect.item.in_(some))
        if not quarantined:
            these = these.where(Suspect.crashes < CRASHES)
        count += session.connection().execute(these).rowcount
    return count
