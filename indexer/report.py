"""What a bulk job tells while it runs and when it has ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from indexer.rules import PassedOver
from indexer.scan import Scan
from indexer.stages.timing import StageTime
from search.captioning import GenerationInfo
from vision.batching import BatchReport


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a running job.

    Attributes:
        stage: `scan`, `images`, `fetch`, `texts`, `boxes`, `publish`, `patches`, `captions` or `reading`; of libraries
            that come or go also `files`, `rows`, `vectors` or `previews`; `watching` between two bursts.
        done: items finished in this stage.
        total: items this stage will have; None while unknown.
    """

    stage: str
    done: int
    total: int | None


OnProgress = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """A listener that does nothing."""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not in the index, and why.

    Attributes:
        reason: `code: sentence`.
        earlier: refused in an earlier run and unchanged since; not tried again.
    """

    path: str
    reason: str
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """Something that was passed over where it stood among others: a record of an annotation file, a text, or a box.

    Attributes:
        where: file and record, e.g. `captions.json annotation 17`; or the text, or the box.
        code: stable reason, e.g. `no_such_image`.
    """

    where: str
    code: str
    reason: str


@dataclass(slots=True)
class PatchReport:
    """What is kept of the patches of pictures.

    Attributes:
        looks: at each picture.
        pictures: that are shown.
        made: whose patches were computed in this run.
        without_preview: that wait until their page has been opened once.
        refused: on which the encoder fails.
        bytes: on disk, of all of them.
    """

    looks: int
    pictures: int = 0
    made: int = 0
    without_preview: int = 0
    refused: list[SkippedRecord] = field(default_factory=list)
    bytes: int = 0


@dataclass(slots=True)
class RegionReport:
    """What was done for boxes without the vector of what they show.

    Attributes:
        embedded: boxes whose vector was computed.
        without_preview: boxes of pictures that wait until their page has been opened once.
        refused: boxes on which the encoder fails.
    """

    embedded: int = 0
    without_preview: int = 0
    refused: list[SkippedRecord] = field(default_factory=list)


@dataclass(slots=True)
class IndexReport:
    """The outcome of `index`.

    Attributes:
        embedded: pictures whose vector was computed.
        reused: files whose content was known already: moved, copied or returned.
        unchanged: files that needed nothing.
        missing: files that were deleted since; their pictures leave the results but nothing is erased.
        excluded: files of the library that are passed over now; their pictures leave the results like missing ones.
        rewritten: pictures whose files a program rewrote without touching their pixels; they keep captions and boxes.
        unavailable: files whose folder or drive cannot be reached; left as they are.
        pruned: files and pictures erased from the library because `--prune` asked for it.
        passed_over: folders and files that a rule leaves out.
        not_pictures: files that neither name nor content calls a picture.
        refused: every file that could not be read, with its reason.
        cut_short: paths of the pictures in this run whose file ends too soon; they are shown as far as they go.
        unsettled: files that were left because they may still be being written; only where an index run is part of
            `watch`, which takes them when they are whole.
        texts_embedded: captions and phrases whose vector was computed.
        texts_refused: captions and phrases that the encoder fails on; they are found by their words alone.
        batches: how the encoder's batches of pictures were sized; None where it does not size them, or ran none.
        previews_unwritten: pictures whose preview could not be kept; it is made again when it is looked at.
        previews_problem: why, the first time; empty if there was none.
        boxes: what was done for boxes without a vector.
        patches: what is kept of patches; None where the library keeps none.
        stages: where the seconds went, by stage.
        elapsed_s: wall-clock seconds of the whole job.
    """

    embedded: int = 0
    reused: int = 0
    unchanged: int = 0
    missing: int = 0
    excluded: int = 0
    rewritten: int = 0
    unavailable: int = 0
    pruned: int = 0
    passed_over: list[PassedOver] = field(default_factory=list)
    not_pictures: list[str] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    texts_embedded: int = 0
    texts_refused: list[SkippedRecord] = field(default_factory=list)
    batches: BatchReport | None = None
    previews_unwritten: int = 0
    previews_problem: str = ""
    boxes: RegionReport = field(default_factory=RegionReport)
    patches: PatchReport | None = None
    stages: dict[str, StageTime] = field(default_factory=dict)
    elapsed_s: float = 0.0


@dataclass(slots=True)
class WatchReport:
    """What `watch` has done since it was begun.

    Attributes:
        bursts: times that it found something.
        embedded: pictures whose vector was computed.
        reused: files whose content was known.
    """

    bursts: int = 0
    embedded: int = 0
    reused: int = 0

    def add(self, part: IndexReport) -> None:
        """Count what a burst has brought."""
        self.bursts += 1
        self.embedded += part.embedded
        self.reused += part.reused


@dataclass(slots=True)
class CaptionReport:
    """The outcome of `caption`.

    Attributes:
        captioned: pictures that have a new caption.
        regions: boxes tied to phrases of those captions.
        dropped_boxes: boxes written that are none.
        silent: pictures about which the captioner wrote nothing; tried again next time.
        refused: files that could not be decoded or captioned, with the reason.
        texts_embedded: captions and phrases whose vector was computed.
        texts_refused: captions and phrases that the encoder fails on; they are found by their words alone.
        boxes: what was done for boxes without a vector, of this captioner or another source.
        batches: how the captioner's batches were sized; None where it does not size them, or ran none.
        stages: where the seconds went, by stage.
        generation: what this captioner has said in all, and of how many pictures.
        elapsed_s: wall-clock seconds of the whole job.
    """

    captioned: int = 0
    regions: int = 0
    dropped_boxes: int = 0
    silent: int = 0
    refused: list[RefusedFile] = field(default_factory=list)
    texts_embedded: int = 0
    texts_refused: list[SkippedRecord] = field(default_factory=list)
    boxes: RegionReport = field(default_factory=RegionReport)
    batches: BatchReport | None = None
    generation: GenerationInfo | None = None
    stages: dict[str, StageTime] = field(default_factory=dict)
    elapsed_s: float = 0.0

    def add(self, later: CaptionReport) -> None:
        """Count what a later look for more pictures has brought."""
        self.captioned += later.captioned
        self.regions += later.regions
        self.dropped_boxes += later.dropped_boxes
        self.silent = later.silent
        self.refused = later.refused
        self.texts_embedded += later.texts_embedded
        self.texts_refused = later.texts_refused
        self.boxes = RegionReport(
            self.boxes.embedded + later.boxes.embedded, later.boxes.without_preview, later.boxes.refused
        )
        self.batches = self.batches if later.batches is None else later.batches
        self.generation = later.generation
        self.elapsed_s += later.elapsed_s


@dataclass(slots=True)
class ImportReport:
    """The outcome of `import`."""

    images: int = 0
    captions: int = 0
    regions: int = 0
    already_there: int = 0
    texts_embedded: int = 0
    regions_embedded: int = 0
    skipped: list[SkippedRecord] = field(default_factory=list)
    elapsed_s: float = 0.0

    def add(self, part: ImportReport) -> None:
        """Count what another report of the same job counts; its time is part of this one's."""
        self.images += part.images
        self.captions += part.captions
        self.regions += part.regions
        self.already_there += part.already_there
        self.texts_embedded += part.texts_embedded
        self.regions_embedded += part.regions_embedded
        self.skipped += part.skipped

    def skipped_by_code(self) -> Counter[str]:
        """How many records were skipped for each reason."""
        return Counter(record.code for record in self.skipped)


def account(report: IndexReport, scan: Scan) -> None:
    """Count what a scan has found and nothing more needs to be done about."""
    report.unchanged += len(scan.unchanged)
    report.reused += len(scan.returned)
    report.missing += len(scan.gone)
    report.excluded += len(scan.excluded)
    report.passed_over += scan.passed_over
    report.unavailable += len(scan.unavailable)
    report.not_pictures += scan.not_pictures
    report.refused += [RefusedFile(entry.path, f"{entry.code}: {entry.reason}") for entry in scan.unreadable]
    report.refused += [RefusedFile(file.path, file.reason or "", earlier=True) for file in scan.refused_before]
