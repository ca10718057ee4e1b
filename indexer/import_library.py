"""`import-library`: an exported library into an empty home, all of its rows and vectors or none of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from indexer.kept import noting
from indexer.report import OnProgress, Progress, silent
from search.checks.database import check_references
from search.checks.finding import VerifyReport
from search.checks.raw import Row
from search.checks.rows import problems_of
from search.db.revisions import revisions
from search.db.schema import Base, Embedding, Generation, Model
from search.db.spellings import remake_words
from search.db.upgrade import MIGRATIONS
from search.errors import ExportFormatError, LibraryError
from search.library import Library
from search.patches.store import Kept
from search.portable.inserting import HOSTILE, insert_rows
from search.portable.manifest import Manifest, check_file, read_manifest
from search.portable.numbering import continue_from, numbered
from search.portable.parquet import Parquet
from search.portable.path_map import PathMap
from search.portable.pictures import (
    PATCHES,
    PREVIEWS,
    patches_schema,
    previews_schema,
    restore_patches,
    restore_previews,
)
from search.portable.tables import CARRIED, FILLED, from_items, schema_of, to_stored
from search.portable.vectors import restore_vectors, vectors_file
from search.previews import PreviewStore
from search.publishing import publish
from search.vectors.live import KINDS, OWNERS
from vision.images import DecoderPool

_MAPPED = ("roots", "files")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How an export is imported.

    Attributes:
        moved: `(old, new)` folders: pictures at or below the old one lie in the new one here.
        decode_workers: children that look at previews.
    """

    moved: tuple[tuple[str, str], ...] = ()
    decode_workers: int = 2


@dataclass(slots=True)
class LibraryImportReport:
    """What was imported.

    Attributes:
        counts: rows by table; `vectors`, `previews` and `patches`.
        left_out: previews and patches that were not what they should be; they are made again.
        elapsed_s: seconds.
    """

    counts: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    elapsed_s: float = 0.0


def import_library(
    library: Library, folder: Path, options: ImportOptions | None = None, on_progress: OnProgress = silent
) -> LibraryImportReport:
    """Fill an empty library with an export; ids stay, so that addresses of pictures do.

    Every file is checked against the manifest before anything is written, every value before it is stored; rows and
    vectors come in one transaction.

    Raises:
        ParquetMissingError: the extra `parquet` is not installed.
        ExportFormatError: the export is damaged, foreign, of a newer version, or says what cannot be.
        SettingsError: a folder that is to be moved is not in the export.
        LibraryError: the library is not empty, or cannot be written.
        LibraryBusyError: another job runs on it.
    """
    started = time.monotonic()
    parquet, options = Parquet(), options or ImportOptions()
    moves = PathMap(options.moved)
    report = LibraryImportReport()
    manifest = read_manifest(folder, revisions(MIGRATIONS))
    whole = False
    told = "every row and vector was imported; `deixis rebuild` makes them searchable"
    with noting(lambda: told if whole else "nothing was imported"), library.exclusive():
        with library.read() as session:
            _require_empty(session, library.home)
        incoming = _Incoming(library, folder, manifest, parquet, report, on_progress)
        incoming.check_files()
        try:
            with library.write() as session:
                _require_empty(session, library.home)
                incoming.fill(session, moves)
                remake_words(session)
        except BaseException:
            library.vectors.recover()  # segments that no row names
            raise
        whole = True
        with library.read() as session:
            model_ids = list(session.scalars(select(Model.id).order_by(Model.id)))
        for model_id in model_ids:
            on_progress(Progress("publish", 0, None))
            publish(library, model_id)
        incoming.add_pictures(options.decode_workers)
    report.elapsed_s = time.monotonic() - started
    return report


def _require_empty(session: Session, home: Path) -> None:
    tables = [*CARRIED, *(Base.metadata.tables[name] for name in FILLED)]
    filled = [table.name for table in tables if session.scalar(select(func.count()).select_from(table))]
    if not filled:
        return
    remedy = "Import into an empty home: set DEIXIS_HOME (and DEIXIS_DATABASE_URL) to another one."
    if Embedding.__tablename__ in filled and Generation.__tablename__ not in filled:
        remedy += "\nIf an import was stopped here after its rows were in, `deixis rebuild` finishes it."
    raise LibraryError(f"The library in {home} is not empty: it has rows in {', '.join(filled)}", remedy=remedy)


class _Incoming:
    """An export on its way in."""

    def __init__(
        self,
        library: Library,
        folder: Path,
        manifest: Manifest,
        parquet: Parquet,
        report: LibraryImportReport,
        on_progress: OnProgress,
    ) -> None:
        self._library = library
        self._folder = folder
        self._manifest = manifest
        self._parquet = parquet
        self._report = report
        self._on_progress = on_progress

    def check_files(self) -> None:
        """Hold every file against the manifest, and its columns against what they must be."""
        schemas = self._schemas()
        files = self._manifest.files
        missing = [f"{table.name}.parquet" for table in CARRIED if f"{table.name}.parquet" not in files]
        strange = [name for name in files if name not in schemas]
        if missing and self._manifest.schema != revisions(MIGRATIONS)[-1]:
            raise ExportFormatError(
                f"{self._folder} was exported by an older version of Deixis, which had no {', '.join(missing)}",
                remedy="Import it with that version, and open the library with this one.",
            )
        if missing or strange:
            said = [f"names no {name}" for name in missing] + [f"names {name}, which none can be" for name in strange]
            raise ExportFormatError(f"the manifest {'; '.join(said)}", remedy=HOSTILE)
        for number, (name, promised) in enumerate(files.items()):
            self._on_progress(Progress("files", number, len(files)))
            path = check_file(self._folder, name, promised)
            schema, optional = schemas[name]
            if self._parquet.rows(path, schema, optional=optional) != promised.rows:
                raise ExportFormatError(f"{name} has another number of rows than the manifest says", remedy=HOSTILE)
        self._on_progress(Progress("files", len(files), len(files)))

    def _schemas(self) -> dict[str, tuple[Any, Sequence[str]]]:
        """By file name: the columns, and those that an older version did not write."""
        parquet = self._parquet
        found: dict[str, tuple[Any, Sequence[str]]] = {
            PREVIEWS: (previews_schema(parquet), ()),
            PATCHES: (patches_schema(parquet), ()),
        }
        for table in CARRIED:
            optional = [column.name for column in table.columns if column.nullable]
            found[f"{table.name}.parquet"] = (schema_of(parquet, table), optional)
        for model in self._manifest.models:
            for kind in KINDS:
                schema = parquet.vectors_schema(OWNERS[kind].key, model.dim)
                found[vectors_file(model.id, kind)] = (schema, ())
        return found

    def fill(self, session: Session, moves: PathMap) -> None:
        """Put rows and vectors into an empty library, and make sure that they agree with each other."""
        total = sum(self._manifest.files[f"{table.name}.parquet"].rows for table in CARRIED)
        done = 0
        for table in CARRIED:
            for count in self._fill_table(session, table, moves):
                done += count
                self._on_progress(Progress("rows", done, total))
        moves.check_used()
        self._fill_vectors(session)
        continue_from(session, self._manifest.next_ids, numbered())
        found = VerifyReport()
        check_references(session, found)
        for finding in found.findings:
            remedy = HOSTILE
            if finding.code == "file_outside_root":
                remedy = "Map the folders that were given to `deixis index` as a whole: they are in roots.parquet."
            raise ExportFormatError(f"{finding.where} {finding.message}", remedy=remedy)

    def _fill_table(self, session: Session, table: Table, moves: PathMap) -> Iterator[int]:
        name = f"{table.name}.parquet"
        count = 0
        for items in self._parquet.items(self._folder / name):
            rows = [
                _checked(table, moves.move(row, name) if table.name in _MAPPED and _has_path(row) else row, name)
                for row in from_items(table, items)
            ]
            insert_rows(session, table, [to_stored(table, row) for row in rows], name)
            count += len(rows)
            yield len(rows)
        self._report.counts[table.name] = count

    def _fill_vectors(self, session: Session) -> None:
        self._report.counts["vectors"] = 0
        models = {model.id: model for model in session.scalars(select(Model))}
        found = {(one.id, one.identity, one.dim, one.active) for one in models.values()}
        if found != {(one.id, one.identity, one.dim, one.active) for one in self._manifest.models}:
            raise ExportFormatError("models.parquet is not of the models that the manifest names", remedy=HOSTILE)
        total = sum(facts.rows for name, facts in self._manifest.files.items() if name.startswith("vectors-"))
        for model in models.values():
            for kind in KINDS:
                path = self._folder / vectors_file(model.id, kind)
                if path.name not in self._manifest.files:
                    continue
                for count in restore_vectors(session, self._library.vectors, self._parquet, model, kind, path):
                    self._report.counts["vectors"] += count
                    self._on_progress(Progress("vectors", self._report.counts["vectors"], total))

    def add_pictures(self, workers: int) -> None:
        """Previews and patches, which can be made again: one that does not convince is left out."""
        files, kept, home = self._manifest.files, self._manifest.patches, self._library.home
        with self._library.read() as session:
            if PREVIEWS in files:
                with DecoderPool(workers=workers) as pool:
                    steps = restore_previews(session, self._parquet, PreviewStore(home), self._folder / PREVIEWS, pool)
                    self._count("previews", steps, files[PREVIEWS].rows)
            active = self._library.active_model(session)
            if PATCHES in files and kept is not None and active is not None:
                store, patches = self._library.patches.store, Kept(kept.model, kept.looks)
                steps = restore_patches(session, self._parquet, store, patches, active.dim, self._folder / PATCHES)
                self._count("patches", steps, files[PATCHES].rows)

    def _count(self, what: str, steps: Iterator[tuple[int, int]], total: int) -> None:
        self._report.counts[what] = done = 0
        for kept, left_out in steps:
            self._report.counts[what] += kept
            self._report.left_out += left_out
            done += kept + left_out
            self._on_progress(Progress(what, done, total))


def _has_path(row: Row) -> bool:
    return isinstance(row["path"], bytes)


def _checked(table: Table, row: Row, where: str) -> Row:
    for _, message in problems_of(table.name, row):
        raise ExportFormatError(f"{where}: the row with the id {row['id']}: {message}", remedy=HOSTILE)
    if not 0 < row["id"] < 2**62:
        raise ExportFormatError(f"{where}: no row can have the id {row['id']}", remedy=HOSTILE)
    return row
