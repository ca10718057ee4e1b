"""The kinds of jobs: each a frozen form of its arguments that runs itself, and survives as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import TypeAdapter, ValidationError

from indexer.caption import CaptionOptions, caption_library
from indexer.export_library import ExportOptions, ExportReport, export_library
from indexer.importers import import_annotations
from indexer.jobs.desk import Desk
from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.read import ReadOptions, ReadReport, read_library
from indexer.report import CaptionReport, ImportReport, IndexReport
from indexer.watching.watch import Ears, WatchOptions, watch_library
from search.encoder import EncoderWish, encoder_to_index, own_encoder
from search.errors import LibraryError
from search.jobs.queue import WATCH
from search.library import Library
from search.maintenance import RebuildReport, rebuild
from vision.grounding.registry import load_captioner
from vision.readers.registry import load_reader
from vision.translation.captioner import in_language


class JobForm(Protocol):
    """The arguments of a kind."""

    KIND: ClassVar[str]

    @property
    def lane(self) -> str | None:
        """What it writes, beside which others may write other things; None for all of the library."""

    def run(self, library: Library, desk: Desk) -> Any:
        """Do it, from wherever an earlier attempt has stopped; returns a report, a dataclass."""


@dataclass(frozen=True, slots=True)
class IndexJob:
    """`index`: bring the library up to date with folders.

    Attributes:
        paths: absolute; none for all that were given before.
        encoder: which one is asked for.
    """

    KIND: ClassVar[str] = "index"

    paths: tuple[str, ...]
    options: IndexOptions
    encoder: EncoderWish

    @property
    def lane(self) -> str | None:
        """Whoever takes vectors away or changes the model needs all of the library."""
        return None if self.options.alone else "pictures"

    def run(self, library: Library, desk: Desk) -> IndexReport:
        """Index."""
        encoder = encoder_to_index(library, self.encoder, afresh=self.options.replace_model, say=desk.say)
        return index_paths(library, encoder, self.paths, self.options, desk.on_progress, desk.hands)


@dataclass(frozen=True, slots=True)
class CaptionJob:
    """`caption`: let a captioner write about every picture.

    Attributes:
        captioner: preset, folder or cached hub id.
        translator: the same; None for none.
        precision: of the captioner.
        encoder: which one is asked for.
    """

    KIND: ClassVar[str] = "caption"

    captioner: str
    options: CaptionOptions
    encoder: EncoderWish
    translator: str | None = None
    precision: str = "float32"

    @property
    def lane(self) -> str | None:
        """Captions."""
        return "captions"

    def run(self, library: Library, desk: Desk) -> CaptionReport:
        """Caption; a worker also waits for the pictures that are being indexed at the same time."""
        encoder = own_encoder(library, self.encoder)
        threads = self.encoder.threads
        captioner = load_captioner(self.captioner, threads=threads, precision=self.precision)
        captioner = in_language(captioner, self.options.language, translator=self.translator, threads=threads)
        report = caption_library(library, encoder, captioner, self.options, desk.on_progress, desk.hands)
        while desk.more_is_coming():
            report.add(caption_library(library, encoder, captioner, self.options, desk.on_progress, desk.hands))
        return report


@dataclass(frozen=True, slots=True)
class ReadJob:
    """`read`: read the text in every picture.

    Attributes:
        reader: preset, or a folder of graphs.
        thorough: look closely also where a first look finds no text.
        encoder: which one is asked for.
    """

    KIND: ClassVar[str] = "read"

    reader: str
    options: ReadOptions
    encoder: EncoderWish
    thorough: bool = False

    @property
    def lane(self) -> str | None:
        """What is read."""
        return "reading"

    def run(self, library: Library, desk: Desk) -> ReadReport:
        """Read; a worker also waits for the pictures that are being indexed at the same time."""
        encoder = own_encoder(library, self.encoder)
        reader = load_reader(self.reader, threads=self.encoder.threads, thorough=self.thorough)
        report = read_library(library, encoder, reader, self.options, desk.on_progress, desk.hands)
        while desk.more_is_coming():
            report.add(read_library(library, encoder, reader, self.options, desk.on_progress, desk.hands))
        return report


@dataclass(frozen=True, slots=True)
class ImportJob:
    """`import`: annotations that exist already.

    Attributes:
        files: absolute.
        encoder: which one is asked for.
    """

    KIND: ClassVar[str] = "import"

    files: tuple[str, ...]
    encoder: EncoderWish

    @property
    def lane(self) -> str | None:
        """Annotations."""
        return "imports"

    def run(self, library: Library, desk: Desk) -> ImportReport:
        """Import."""
        encoder = own_encoder(library, self.encoder)
        return import_annotations(library, encoder, [Path(file) for file in self.files], desk.on_progress)


@dataclass(frozen=True, slots=True)
class ExportJob:
    """`export-library`: write the library as Parquet files.

    Attributes:
        folder: absolute.
    """

    KIND: ClassVar[str] = "export"

    folder: str
    options: ExportOptions

    @property
    def lane(self) -> str | None:
        """It writes nothing of the library; two exports at a time would only be slower."""
        return "export"

    def run(self, library: Library, desk: Desk) -> ExportReport:
        """Export."""
        return export_library(library, Path(self.folder), self.options, desk.on_progress)


@dataclass(frozen=True, slots=True)
class WatchJob:
    """`watch`: keep the library up to date until it is stopped.

    Attributes:
        encoder: which one is asked for.
    """

    KIND: ClassVar[str] = "watch"

    options: WatchOptions
    encoder: EncoderWish

    @property
    def lane(self) -> str | None:
        """Its own, which holds nobody up; for each burst it takes that of pictures."""
        return WATCH

    def run(self, library: Library, desk: Desk) -> None:
        """Watch."""
        ears = Ears(desk.on_progress, desk.say or (lambda line: None), desk.tell)
        watch_library(library, partial(own_encoder, library, self.encoder), self.options, ears, desk.hands)


@dataclass(frozen=True, slots=True)
class RebuildJob:
    """`rebuild`: make every index again."""

    KIND: ClassVar[str] = "rebuild"

    compact: bool = False

    @property
    def lane(self) -> str | None:
        """All of the library."""
        return None

    def run(self, library: Library, desk: Desk) -> RebuildReport:
        """Rebuild."""
        return rebuild(library, compact=self.compact)


KINDS: Mapping[str, type[JobForm]] = {
    form.KIND: form for form in (IndexJob, CaptionJob, ReadJob, ImportJob, ExportJob, WatchJob, RebuildJob)
}


def arguments_of(form: JobForm) -> dict[str, Any]:
    """A form as the queue keeps it."""
    arguments: dict[str, Any] = TypeAdapter(type(form)).dump_python(form, mode="json", exclude_defaults=True)
    return arguments


def form_of(kind: str, arguments: Mapping[str, Any]) -> JobForm:
    """A form as the queue has kept it.

    Raises:
        LibraryError: this version knows no such kind, or not these arguments.
    """
    try:
        return TypeAdapter(KINDS[kind]).validate_python(dict(arguments))
    except (KeyError, ValidationError) as error:
        raise LibraryError(
            f"This version of Deixis cannot run a job of the kind {kind!r} with these arguments",
            remedy="Cancel it, and give the command again.",
        ) from error
