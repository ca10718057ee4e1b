"""`verify` and `rebuild`: prove that rows, vectors and indexes agree, and make again what can be made again."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from search.catalogue.current import KIND as CATALOGUE
from search.checks.catalogues import check_catalogue
from search.checks.database import check_database, guarded
from search.checks.finding import Finding, OnProgress, VerifyReport, silent
from search.checks.generations import check_generation, check_published
from search.checks.home import check_home
from search.checks.kept import check_kept
from search.checks.patches import check_patches, damaged_patches
from search.checks.previews import check_previews, damaged_previews
from search.checks.rows import require_sound_vectors
from search.checks.segments import check_segment, check_strays
from search.db.schema import Generation, Model
from search.db.spellings import remake_words
from search.library import Library
from search.previews import erase_previews
from search.publishing import publish
from search.vectors.compact import CompactReport, compact_segments
from search.vectors.generations import SegmentPlace, segment_places
from search.vectors.live import KINDS


def verify(library: Library, progress: OnProgress | None = None) -> VerifyReport:
    """Check everything that is stored against everything else; changes nothing.

    Args:
        library: no bulk job may run on it.
        progress: called with the bytes read so far and the bytes there are.

    Returns:
        What is wrong; nothing when the library is sound.

    Raises:
        LibraryBusyError: a bulk job runs on this library.
    """
    report = VerifyReport()
    with library.undisturbed():
        check_database(library, report)
        with guarded(report, "check files"):
            _check_files(library, report, progress or silent)
        with guarded(report, "check previews"):
            check_previews(library, report)
        with guarded(report, "check copies"):
            check_kept(library, report)
        with guarded(report, "check patches"):
            check_patches(library, report)
        check_home(library.home, report)
    return report


@dataclass(slots=True)
class RebuildReport:
    """What `rebuild` has done.

    Attributes:
        generations: indexes made.
        vectors: how many vectors they hold.
        previews: damaged and stray ones that were removed; they are made again when they are asked for.
        patches: the same of patches; `index` makes them again.
        compacted: what was rewritten; all zero unless asked for.
    """

    generations: int = 0
    vectors: int = 0
    previews: int = 0
    patches: int = 0
    compacted: CompactReport = field(default_factory=CompactReport)


def rebuild(library: Library, *, compact: bool = False) -> RebuildReport:
    """Make every index again from the record: FAISS of all models and kinds, the words that were read, the catalogue.

    Args:
        library: no other bulk job may run on it.
        compact: first rewrite segments without vectors that are dead or cannot be read. What could not be read is
            embedded again by the next `index`.

    Raises:
        LibraryBusyError: another bulk job runs on this library.
        CorruptionError: a segment is damaged; the remedy is to compact.
        LibraryError: the disk is full.
    """
    report = RebuildReport()
    with library.exclusive():
        with library.read() as session:
            require_sound_vectors(session)
        if compact:
            report.compacted = compact_segments(library.database, library.vectors)
        report.previews = erase_previews(damaged_previews(library))
        report.patches = erase_previews(damaged_patches(library))
        with library.write() as session:
            remake_words(session)
        with library.read() as session:
            model_ids = list(session.scalars(select(Model.id).order_by(Model.id)))
        for model_id in model_ids:
            for kind in publish(library, model_id, force=True):
                report.generations += 1
                report.vectors += library.vectors.searcher(model_id, kind).size if kind in KINDS else 0
    return report


def _check_files(library: Library, report: VerifyReport, progress: OnProgress) -> None:
    places: dict[tuple[int, str], list[SegmentPlace]] = {}
    store = library.vectors
    with library.read() as session:
        for model in session.scalars(select(Model).order_by(Model.id)):
            for kind in KINDS:
                places[model.id, kind] = segment_places(session, store.segments_folder, store.library_uid, model, kind)
        generations = list(session.scalars(select(Generation).order_by(Generation.id)))
    segments = [place for some in places.values() for place in some]
    total_bytes = sum(place.end.size_bytes for place in segments) + sum(row.size_bytes for row in generations)
    done_bytes = 0

    def on_bytes(count: int) -> None:
        nonlocal done_bytes
        done_bytes = min(done_bytes + count, total_bytes)
        progress(done_bytes, total_bytes)

    for place in segments:
        check_segment(library, place, report, on_bytes)
    for row in generations:
        if row.kind == CATALOGUE:
            check_catalogue(library, row, report, on_bytes)
        else:
            check_generation(store.generations_folder, row, places[row.model_id, row.kind], report, on_bytes)
    check_published(library, report)
    check_strays(store.segments_folder, [place.path.name for place in segments], report)
    check_strays(store.generations_folder, [row.file_name for row in generations], report)
    progress(total_bytes, total_bytes)


__all__ = ["Finding", "RebuildReport", "VerifyReport", "rebuild", "verify"]
