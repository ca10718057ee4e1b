"""Which archives were read, and what of them need not be read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.images import below, below_or_at, display_path, path_fault
from search.db.limits import int64
from search.db.schema import Archive, File


@dataclass(frozen=True, slots=True)
class ArchiveFact:
    """An archive as it was when it was read.

    Attributes:
        rules_sha256: of what was said about passing over in it.
        members: how many pictures were found in it, those included that cannot be read.
        faults: names in it that stand for no address, each with a reason as `code: sentence`.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    rules_sha256: str
    members: int
    faults: tuple[tuple[str, str], ...] = ()


def known_archives(session: Session, root_path: str) -> dict[str, ArchiveFact]:
    """All archives at or below a path."""
    rows = session.scalars(select(Archive).where(below_or_at(Archive.path, root_path)))
    return {
        row.path: ArchiveFact(
            row.path,
            row.size_bytes,
            row.mtime_ns,
            row.ctime_ns,
            row.rules_sha256,
            row.members,
            tuple((name, reason) for name, reason in row.faults),
        )
        for row in rows
        if are_faults(row.faults)  # one that is damaged is read again
    }


def count_members(session: Session, path: str) -> int:
    """How many files in an archive are not missing."""
    there = (below(File.path, path), File.held.is_not(None), File.state != "missing")
    return session.scalar(select(func.count(File.id)).where(*there)) or 0


def are_faults(value: object) -> bool:
    """Whether a value is what `archives.faults` holds: pairs of texts."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair) for pair in value
    )


def note_archives(session: Session, facts: Sequence[ArchiveFact]) -> None:
    """Remember archives as they were read; one whose path no database holds is read again every time."""
    storable = [fact for fact in facts if path_fault(fact.path) is None]
    for some in chunks([fact.path for fact in storable]):
        session.execute(delete(Archive).where(Archive.path.in_(some)))
    for fact in storable:
        row = Archive(path=fact.path, rules_sha256=fact.rules_sha256, members=fact.members)
        row.size_bytes, row.mtime_ns, row.ctime_ns = int64(fact.size_bytes), int64(fact.mtime_ns), int64(fact.ctime_ns)
        row.faults = [[display_path(name), display_path(reason)] for name, reason in fact.faults]
        session.add(row)
    session.flush()


def drop_archives(session: Session, path: str) -> None:
    """Forget what was read of the archives at or below a path."""
    session.execute(delete(Archive).where(below_or_at(Archive.path, path)))
