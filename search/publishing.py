"""Make what lives now searchable, and learn from it what scores mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select

from search.db.schema import CalibrationRow
from search.library import Library
from search.query.fitting import fit
from search.query.relevance import QUERY_CLASS, Relevance
from search.snapshot import take_snapshot
from search.vectors.live import KINDS

_GROWN = 1.3
"""By this factor the texts must have grown, or shrunk, before their relevance is fitted anew."""


def publish(library: Library, model_id: int, kinds: Sequence[str] = KINDS, *, force: bool = False) -> list[str]:
    """Publish vectors and catalogue; see `Library.publish`. Fits the relevance where there is much more to learn from.

    Raises:
        LibraryBusyError: another process holds the library.
        CorruptionError: a segment is damaged, or a live embedding is in none.
        LibraryError: a file cannot be written.
    """
    published = library.publish(model_id, kinds, force=force)
    if published:
        refit(library, model_id, force=force)
    return published


def refit(library: Library, model_id: int, *, force: bool = False) -> Relevance | None:
    """Fit the relevance of a library to its own texts, where they are many and have changed much.

    Returns:
        What was fitted; None where nothing was.
    """
    with library.read() as session:
        snapshot = take_snapshot(library, session)
        if snapshot is None or snapshot.model.id != model_id:
            return None  # another model answers until the job that makes this one's vectors has ended
        before, texts = snapshot.relevance.texts, snapshot.texts.size
        if not force and before and before / _GROWN < texts < before * _GROWN:
            return None
        fitted = fit(session, snapshot)
    if fitted is None:
        return None
    mine = (CalibrationRow.model_id == model_id, CalibrationRow.query_class == QUERY_CLASS)
    with library.write() as session:
        row = session.scalar(select(CalibrationRow).where(*mine))
        if row is None:
            row = CalibrationRow(model_id=model_id, query_class=QUERY_CLASS)
            session.add(row)
        row.facts, row.created_at = fitted.as_json(), datetime.now(UTC)
    return fitted
