"""`watch`: what is new, changed, moved or deleted below the library's folders is searchable within seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from indexer.hands import Hands
from indexer.mounts import mount_table
from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.report import IndexReport, OnProgress, Progress, RefusedFile, WatchReport, silent
from indexer.watching.root import WatchedRoot
from indexer.watching.settling import QUIET_S, Settling
from search.db.roots import is_below, is_url, root_paths
from search.encoder import Say, active_row
from search.errors import LibraryBusyError, ModelMismatchError
from search.library import Library
from vision.encoders.base import Encoder
from vision.errors import DeixisError

_TICK_S = 0.5

_ROOTS_S = 2.0
"""How often it is looked whether roots have come, gone, or are others; and before a busy library is tried again."""

_REST = 20
"""Of looking at very many roots it rests so many times as long as it took."""

_TOLD = 1_000
"""Refusals that are remembered, so that each is told once."""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """How `watch` goes about it.

    Attributes:
        index: how pictures are indexed.
        scan_every_s: all folders are scanned so often, whatever was told of them.
        silent_every_s: those of which the system tells nothing are scanned so often.
    """

    index: IndexOptions = field(default_factory=IndexOptions)
    scan_every_s: float = 3600.0
    silent_every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Ears:
    """Who hears of what `watch` does.

    Attributes:
        on_progress: called at least once a second, but within a batch of the encoder; what it raises ends all.
        say: told in one line what becomes of roots.
        tell: told of each burst that has brought something, with refusals that were not told before.
    """

    on_progress: OnProgress = silent
    say: Say = lambda line: None
    tell: Callable[[IndexReport], None] = lambda report: None


def watch_library(
    library: Library,
    load: Callable[[], Encoder],
    options: WatchOptions | None = None,
    ears: Ears | None = None,
    hands: Hands | None = None,
) -> None:
    """Keep the library up to date with all its roots until `ears.on_progress` raises.

    Args:
        load: gives the library's own encoder; asked again when the library has got another one.
        hands: of the job that this is part of.

    Raises:
        KeyboardInterrupt: or whatever `on_progress` raises.
        DeixisError: of `index_paths`, but for a library that is busy, which is waited for.
    """
    report = WatchReport()
    watching = _Watching(library, load, options or WatchOptions(), ears or Ears(), hands, report)
    try:
        watching.run()
    except (KeyboardInterrupt, DeixisError, OSError, MemoryError) as error:
        within_a_burst = bool(getattr(error, "__notes__", []))  # Which has told of itself.
        when = "before" if within_a_burst else "while it watched"
        if report.bursts or not within_a_burst:
            error.add_note(f"{report.embedded + report.reused} pictures came in {when}")
        raise


class _Watching:
    """One execution of `watch`."""

    def __init__(
        self,
        library: Library,
        load: Callable[[], Encoder],
        options: WatchOptions,
        ears: Ears,
        hands: Hands | None,
        report: WatchReport,
    ) -> None:
        self._library = library
        self._load = load
        self._encoder: Encoder | None = None
        self._options = options
        self._index = replace(options.index, changed=True, settle_s=QUIET_S)
        self._ears = ears
        self._hands = hands
        self._report = report
        self._home = os.path.realpath(library.home)
        self._roots: dict[str, WatchedRoot] = {}
        self._settling = Settling()
        self._changed: set[str] = set()
        self._look_at = 0.0
        self._not_before = 0.0
        self._told: dict[tuple[str, str], None] = {}

    def run(self) -> None:
        try:
            self._wait_for_model()
            while True:
                if time.monotonic() >= self._look_at:
                    self._look_at_roots()
                for root in self._roots.values():
                    self._settling.add(path for path in root.heard() if not is_below(path, self._home))
                self._changed |= set(self._settling.ready())
                if time.monotonic() >= self._not_before:
                    self._index_what_changed()
                    self._scan_what_is_due()
                self._rest(_TICK_S)
        finally:
            for root in self._roots.values():
                root.close()

    def _wait_for_model(self) -> None:
        if active_row(self._library) is None:
            self._ears.say("nothing has been indexed yet; waiting for `deixis index FOLDER`")
        while active_row(self._library) is None:
            self._rest(_ROOTS_S)

    def _rest(self, seconds: float) -> None:
        self._ears.on_progress(Progress("watching", self._report.bursts, None))
        time.sleep(seconds)

    def _look_at_roots(self) -> None:
        with self._library.read() as session:
            paths = dict.fromkeys(path for path in root_paths(session) if not is_url(path))
        began = time.monotonic()
        for path in [path for path in self._roots if path not in paths]:
            self._roots.pop(path).close()
        for path in paths:
            if path not in self._roots:
                self._roots[path] = WatchedRoot(
                    path, self._options.scan_every_s, self._options.silent_every_s, self._ears.say
                )
        table = mount_table()
        for root in self._roots.values():
            root.look(table)
            if root.is_file and root.due():  # It may be one of many, and still being written.
                self._settling.add([root.path])
                root.scanned(root.path, 0.0)
        now = time.monotonic()
        self._look_at = now + max(_ROOTS_S, _REST * (now - began))

    def _index_what_changed(self) -> None:
        some = self._changed
        if some and self._run(sorted(some)) is not None:
            self._changed = set()

    def _scan_what_is_due(self) -> None:
        for root in [root for root in self._roots.values() if not root.is_file]:
            # Not before the listening has begun: what changes in between would be missed.
            for part in root.due() if root.is_settled else ():
                report = self._run([part])
                if report is None:
                    return
                root.scanned(part, report.stages["scan"].worked_s if "scan" in report.stages else 0.0)

    def _run(self, paths: Sequence[str]) -> IndexReport | None:
        """Index; None where another job is at it, and it is to be tried again."""
        try:
            part = self._indexed(paths)
        except LibraryBusyError:
            self._not_before = time.monotonic() + _ROOTS_S
            return None
        self._settling.add(part.unsettled)
        part.refused = self._news(part.refused)
        if part.embedded or part.reused or part.missing or part.excluded or part.refused:
            self._report.add(part)
            self._ears.tell(part)
        return part

    def _indexed(self, paths: Sequence[str]) -> IndexReport:
        if self._encoder is None:
            self._encoder = self._load()
        try:
            return self._with(self._encoder, paths)
        except ModelMismatchError:
            self._ears.say("the library has got another encoder")
            self._encoder = None
            self._encoder = self._load()
            return self._with(self._encoder, paths)

    def _with(self, encoder: Encoder, paths: Sequence[str]) -> IndexReport:
        return index_paths(self._library, encoder, paths, self._index, self._ears.on_progress, self._hands)

    def _news(self, refused: Iterable[RefusedFile]) -> list[RefusedFile]:
        """Those that were not told before."""
        news = []
        for one in refused:
            key = (one.path, one.reason)
            if not one.earlier and key not in self._told:
                news.append(one)
            self._told[key] = None
        while len(self._told) > _TOLD:
            del self._told[next(iter(self._told))]
        return news
