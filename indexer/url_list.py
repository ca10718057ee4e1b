"""Fetch the pictures of a list of URLs, a few at a time, and keep a copy of each."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from indexer.addresses import FetchError, Place, parse_url
from indexer.fetching import Connections, FetchLimits, fetch
from indexer.report import OnProgress, Progress, RefusedFile
from search.db.images import FileFact, KnownFile
from search.kept import keep
from vision.originals import as_kept

AT_ONCE, AT_ONCE_PER_HOST = 8, 2
DEVICE = "url:fetched"
"""What `files.device` says of a picture that lies on no disk of its own."""


@dataclass(slots=True)
class Fetched:
    """The outcome of a list.

    Attributes:
        facts: pictures that were fetched, each with the origin that is its root.
        unchanged: those that were fetched before; nobody asks their servers again.
        refused: what is not fetched, with its reason, and what was fetched before and is no picture.
    """

    facts: list[tuple[FileFact, str]] = field(default_factory=list)
    unchanged: int = 0
    refused: list[RefusedFile] = field(default_factory=list)


def read_urls(data: bytes) -> list[str]:
    """The URLs of a list: one a line; empty lines and those that begin with `#` say nothing."""
    lines = (line.strip() for line in data.decode("utf-8-sig", "replace").splitlines())
    return list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))


def fetch_urls(
    home: Path,
    urls: Sequence[str],
    known: Mapping[str, KnownFile],
    limits: FetchLimits,
    on_progress: OnProgress,
    *,
    again: bool = False,
    retry_refused: bool = False,
) -> Fetched:
    """Fetch what is not there yet.

    Args:
        home: of the library.
        known: what it holds of these URLs, by their stored form.
        again: also what is there.
        retry_refused: also what was fetched, and is no picture that can be read.
    """
    done = Fetched()
    wanted: dict[str, Place] = {}
    for url in urls:
        try:
            place = parse_url(url)
        except FetchError as error:
            done.refused.append(RefusedFile(url[:1000], f"{error.code}: {error.args[0]}"))
            continue
        before = known.get(place.url)
        if before is None or before.state == "missing" or again or (before.state == "refused" and retry_refused):
            wanted[place.url] = place
        elif before.state == "refused":
            done.refused.append(RefusedFile(place.url, before.reason or "", earlier=True))
        else:
            done.unchanged += 1
    for url, answer in _all(home, wanted, limits, on_progress):
        if isinstance(answer, FileFact):
            done.facts.append((answer, wanted[url].origin))
        else:
            done.refused.append(RefusedFile(url, f"{answer.code}: {answer.args[0]}"))
    return done


def _all(
    home: Path, wanted: Mapping[str, Place], limits: FetchLimits, on_progress: OnProgress
) -> Iterator[tuple[str, FileFact | FetchError]]:
    polite: dict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(AT_ONCE_PER_HOST))
    connections = Connections()
    turns = {place.host: polite[place.host] for place in wanted.values()}

    def one(url: str) -> FileFact | FetchError:
        with turns.get(wanted[url].host) or nullcontext():
            try:
                data = fetch(url, limits, connections)
            except FetchError as error:
                return error
        return FileFact(url, len(data), time.time_ns(), DEVICE, held=as_kept(keep(home, data)))

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as pool:
        pending = {pool.submit(one, url): url for url in wanted}
        try:
            for number, future in enumerate(as_completed(pending), start=1):
                on_progress(Progress("fetch", number, len(wanted)))
                yield pending[future], future.result()
        finally:
            connections.hang_up()
            pool.shutdown(wait=False, cancel_futures=True)
