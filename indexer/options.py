"""How `index` goes about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.fetching import FetchLimits
from indexer.roots import RuleChange
from vision.archives.member import ArchiveLimits
from vision.images import DecodeLimits


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """How `index` goes about it.

    Attributes:
        batch_size: pictures per transaction, and at most per batch of the encoder; None for as many as its largest
            batch holds, 32 at least.
        decode_workers: decoding child processes.
        limits: what one picture may cost.
        retry_refused: try refused files again though they have not changed.
        replace_model: accept another encoder than the library's, and embed everything again with it.
        prune: erase what is missing or unavailable instead of keeping it hidden.
        rescan: look at the bytes of every file, whatever the file system says of it.
        looks: keep the patches of so many looks at each picture from now on (`vision.looks.WHOLE` or `WITH_PARTS`); 0
            for none; None for as before.
        rules: what is said about passing over and following.
        archives: what reading an archive may cost.
        listed: absolute paths of a list: what is not there costs itself alone.
        urls: pictures to fetch.
        fetching: what fetching one may cost, and from where.
        changed: the paths are places at which something has changed, and no folders that somebody names: they are
            looked at where a root covers them and no rule passes over them, and what is not there any more is gone.
        settle_s: with `changed`: files below its folders whose facts changed within so many seconds may still be being
            written; they are left, and named in the report.
    """

    batch_size: int | None = None
    decode_workers: int = 2
    limits: DecodeLimits = field(default_factory=DecodeLimits)
    retry_refused: bool = False
    replace_model: bool = False
    prune: bool = False
    rescan: bool = False
    looks: int | None = None
    rules: RuleChange = field(default_factory=RuleChange)
    archives: ArchiveLimits = field(default_factory=ArchiveLimits)
    listed: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    fetching: FetchLimits = field(default_factory=FetchLimits)
    changed: bool = False
    settle_s: float = 0.0

    @property
    def alone(self) -> bool:
        """Whether it needs the whole library: it takes vectors away, or another model takes over."""
        return self.prune or self.replace_model
