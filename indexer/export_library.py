"""`export-library`: one state of a library, its rows and vectors, as Parquet files; whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Table, func, select
from sqlalchemy.orm import Session

from indexer.kept import noting
from indexer.report import OnProgress, Progress, silent
from search.checks.raw import Row, read_rows
from search.checks.rows import problems_of
from search.db.revisions import revisions
from search.db.schema import Embedding, Image, LibraryMark, Model
from search.db.upgrade import MIGRATIONS
from search.errors import CorruptionError, LibraryEmptyError, LibraryError
from search.library import Library
from search.portable.manifest import MANIFEST, KeptPatches, Manifest, ModelFacts
from search.portable.numbering import next_ids
from search.portable.parquet import GROUP_ROWS, Parquet, WrittenFile, written_file
from search.portable.pictures import PATCHES, PREVIEWS, write_patches, write_previews
from search.portable.tables import CARRIED, schema_of, to_columns
from search.portable.vectors import Space, open_spaces, write_vectors
from search.previews import PreviewStore
from search.vectors.durable import writing_to
from vision.whole_files import fsync_folder, write_whole

_ATTEMPTS = 3
"""How often a snapshot is taken whose segments a job has rewritten before they were open."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What an export holds besides rows and vectors.

    Attributes:
        previews: the small pictures that pages show.
    """

    previews: bool = False


@dataclass(slots=True)
class ExportReport:
    """What was exported.

    Attributes:
        folder: where.
        counts: rows by table; `vectors`, `previews` and `patches`.
        dead_vectors: left out, for nothing owns them any more.
        size_bytes: of all files.
        elapsed_s: seconds.
    """

    folder: str
    counts: dict[str, int] = field(default_factory=dict)
    dead_vectors: int = 0
    size_bytes: int = 0
    elapsed_s: float = 0.0


def export_library(
    library: Library, folder: Path, options: ExportOptions | None = None, on_progress: OnProgress = silent
) -> ExportReport:
    """Write everything that a library knows into a new folder; other jobs may write to the library meanwhile.

    Args:
        folder: absent or empty; it appears when all is on disk.

    Raises:
        ParquetMissingError: the extra `parquet` is not installed.
        LibraryEmptyError: nothing has been indexed yet.
        LibraryError: the folder holds something, or cannot be written.
        CorruptionError: the library is damaged; says where.
    """
    started = time.monotonic()
    parquet = Parquet()
    folder = folder.expanduser().absolute()
    report = ExportReport(str(folder))
    with (
        noting(lambda: f"nothing was exported to {folder}"),
        _appearing(folder) as unfinished,
        _snapshot(library) as (session, spaces),
    ):
        export = _Export(library, session, parquet, unfinished, report, on_progress)
        for table in CARRIED:
            export.write_table(table)
        export.write_vectors(spaces)
        export.write_pictures(options or ExportOptions())
        export.write_manifest()
    report.elapsed_s = time.monotonic() - started
    return report


@contextmanager
def _appearing(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes its name at the end; after an error or an interrupt it is gone."""
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise LibraryError(f"{folder} holds something already", remedy="Name a folder that does not exist yet.")
    unfinished = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.unfinished")
    try:
        with writing_to(folder):
            unfinished.mkdir(parents=True, mode=0o700)
        yield unfinished
        with writing_to(folder):
            fsync_folder(unfinished)
            os.rename(unfinished, folder)  # over an empty folder, too
            fsync_folder(folder.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _snapshot(library: Library) -> Iterator[tuple[Session, list[Space]]]:
    """One state of the rows, and the segments that belong to it held open."""
    for left in reversed(range(_ATTEMPTS)):
        with contextlib.ExitStack() as stack:
            session = stack.enter_context(library.read())
            try:
                spaces = open_spaces(library, session, stack)
            except CorruptionError:
                if left:
                    continue  # `rebuild --compact` may have moved these vectors since the rows were read
                raise
            if library.active_model(session) is None:
                raise LibraryEmptyError("Nothing has been indexed yet", remedy="Run `deixis index FOLDER` first.")
            yield session, spaces
            return


class _Export:
    """Writes one file after the other, and knows what was written."""

    def __init__(
        self,
        library: Library,
        session: Session,
        parquet: Parquet,
        folder: Path,
        report: ExportReport,
        on_progress: OnProgress,
    ) -> None:
        self._library = library
        self._session = session
        self._parquet = parquet
        self._folder = folder
        self._report = report
        self._on_progress = on_progress
        self._files: dict[str, WrittenFile] = {}
        counts = [select(func.count()).select_from(table) for table in CARRIED]
        self._rows = sum(session.scalar(count) or 0 for count in counts)
        self._vectors = session.scalar(select(func.count(Embedding.id))) or 0
        self._kept: KeptPatches | None = None

    def write_table(self, table: Table) -> None:
        """One table, row by row as it is stored."""
        path = self._folder / f"{table.name}.parquet"
        count, waiting = 0, list[Row]()
        step = self._steps("rows", self._rows)
        with self._parquet.writing(path, schema_of(self._parquet, table)) as write:
            for row in read_rows(self._session, table, by_id=True):
                for _, message in problems_of(table.name, row):
                    raise CorruptionError(
                        f"{table.name} row {row['id']}: {message}", remedy="`deixis verify` names all that is wrong."
                    )
                waiting.append(row)
                if len(waiting) == GROUP_ROWS:
                    write(to_columns(table, waiting))
                    count, waiting = count + len(waiting), []
                    step(GROUP_ROWS)
            write(to_columns(table, waiting))
        count += len(waiting)
        step(len(waiting))
        self._written(path, table.name, count)

    def write_vectors(self, spaces: list[Space]) -> None:
        """Every space that has vectors."""
        step = self._steps("vectors", self._vectors)
        self._report.counts["vectors"] = 0
        for space in spaces:
            path = self._folder / space.file_name
            written, dead = write_vectors(self._session, self._parquet, space, path, step)
            self._report.dead_vectors += dead
            self._written(path, "vectors", written)

    def write_pictures(self, options: ExportOptions) -> None:
        """Previews where they are asked for, and patches where the library keeps them."""
        if options.previews:
            pictures = self._session.scalar(select(func.count(Image.id))) or 0
            path, step = self._folder / PREVIEWS, self._steps("previews", pictures)
            store = PreviewStore(self._library.home)
            self._written(path, "previews", write_previews(self._session, self._parquet, store, path, step))
        kept = self._library.patches.store.kept()
        if kept is not None:
            self._kept = KeptPatches(kept.model, kept.looks)
            path = self._folder / PATCHES
            self._on_progress(Progress("patches", 0, None))
            store_of_patches = self._library.patches.store
            count = write_patches(self._session, self._parquet, store_of_patches, kept, path)
            self._written(path, "patches", count)

    def write_manifest(self) -> None:
        """Last: what makes a folder an export."""
        session = self._session
        models = session.scalars(select(Model).order_by(Model.id))
        manifest = Manifest(
            schema=revisions(MIGRATIONS)[-1],
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            library=session.get_one(LibraryMark, 1).uid,
            models=tuple(
                ModelFacts(one.id, one.name, one.identity, one.backend, one.revision, one.dim, one.active)
                for one in models
            ),
            next_ids=next_ids(session),
            counts=self._report.counts,
            files=self._files,
            patches=self._kept,
        )
        with writing_to(self._folder):
            write_whole(self._folder / MANIFEST, manifest.as_json())

    def _written(self, path: Path, what: str, count: int) -> None:
        self._files[path.name] = facts = written_file(path, count)
        self._report.counts[what] = self._report.counts.get(what, 0) + count
        self._report.size_bytes += facts.size_bytes

    def _steps(self, stage: str, total: int) -> Callable[[int], None]:
        done = sum(self._report.counts.get(table.name, 0) for table in CARRIED) if stage == "rows" else 0

        def step(count: int) -> None:
            nonlocal done
            done += count
            self._on_progress(Progress(stage, done, total))

        return step
