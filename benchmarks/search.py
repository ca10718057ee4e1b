"""What a whole search costs: `SearchService.search()` over libraries filled through the real tables.

    python -m benchmarks.search [--size 10000 100000 1000000] [--dim 512] [--database-url URL] [--home FOLDER]
                               [--check]

One caption and three boxed phrases a picture, of Zipf-like words ("a man" stands in a sixth of them). A stand-in gives
prepared vectors for queries, so that the encoder's time is in no figure; everything else is what answers a user. CPU is
that of the process. Set OMP_NUM_THREADS=1 for figures of one core. With `--check`, the first hits of each query are
compared with those of looking at every picture; the exit code is 1 where they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import event

from benchmarks.exhaustive import FIRST, differing
from benchmarks.filling import Filling, PreparedEncoder
from benchmarks.vocabulary import Vocabulary
from search.library import Library
from search.results import SearchRequest
from search.service import SearchService
from search.settings import available_cores
from vision.machine import processor_name

_COMMON = (
    "a man", "a man next to a dog", "a red car", "a woman with a hat", "a tree", "a dog and a cat", "two dogs",
    "a man without a hat", "a small blue boat", "a white house behind a tree", "a red car left of a house", "a street",
)  # fmt: skip
"""Words that many pictures share: the dearest queries."""
_ROUNDS = 3
_PARALLEL_S = 6.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of queries."""

    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one size of library.

    Attributes:
        stages_cpu_ms: median CPU milliseconds by stage, as the engine reports them.
        statements: SQL statements of a query, median and most.
        parallel: kind of worker → searches per second of two over those of one.
    """

    pictures: int
    texts: int
    fill_s: float
    open_s: float
    first_ms: float
    cpu: Cost
    wall: Cost
    stages_cpu_ms: Mapping[str, float]
    statements: tuple[float, int]
    memory_mb: float
    home_mb: float
    parallel: Mapping[str, float]
    differing: Sequence[str] = ()


def main() -> None:
    """Fill, measure, and print a line for each size, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--database-url", help="Postgres instead of SQLite; an empty database")
    parser.add_argument("--home", type=Path, help="keep the library here, and use it again when it is there")
    parser.add_argument("--no-parallel", action="store_true")
    parser.add_argument("--check", action="store_true", help="compare with the exhaustive computation")
    parser.add_argument("--json", action="store_true")
    read = parser.parse_args()
    if read.database_url and len(read.size) > 1:
        sys.exit("one database holds one library: give one --size")
    what = {"parallel": not read.no_parallel, "check": read.check}
    found = [measure(size, read.dim, read.database_url, read.home, **what) for size in read.size]
    machine = f"{processor_name()}, {available_cores()} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS')}"
    if read.json:
        print(json.dumps({"machine": machine, "dim": read.dim, "sizes": [asdict(one) for one in found]}, indent=2))
    else:
        print(f"{machine}, dim {read.dim}, {len(queries(Vocabulary(8)))} queries × {_ROUNDS}")
        for one in found:
            print("\n".join(_lines(one, checked=read.check)))
    if any(one.differing for one in found):
        sys.exit(1)


def measure(
    size: int, dim: int, database_url: str | None, home: Path | None, *, parallel: bool, check: bool = False
) -> Measured:
    """Figures of one library, filled anew unless `home` holds one."""
    with tempfile.TemporaryDirectory() as scratch:
        place = (home or Path(scratch)) / f"{size}-{dim}"
        vocabulary = Vocabulary(dim)
        fill_s, texts = _filled(place, vocabulary, size, database_url)
        started = time.perf_counter()
        with Library.open(place, database_url) as library:
            service = SearchService(library, PreparedEncoder(vocabulary))
            open_s = time.perf_counter() - started
            started = time.perf_counter()
            service.search(SearchRequest(text="a man"))
            first_ms = (time.perf_counter() - started) * 1000
            timed = _timed(library, service, queries(vocabulary))
        return Measured(
            pictures=size,
            texts=texts,
            fill_s=fill_s,
            open_s=open_s,
            first_ms=first_ms,
            **timed,
            memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            home_mb=sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) / 2**20,
            parallel=_parallel(place, dim, database_url) if parallel else {},
            differing=differing(place, dim, database_url, queries(vocabulary)) if check else (),
        )


def queries(vocabulary: Vocabulary) -> list[str]:
    """Common words, then rarer and rarer ones."""
    rare = [f"a {vocabulary.nouns[place]}" for place in (50, 200, 800, 2000, 3500)]
    mixed = [f"a man with a {vocabulary.nouns[place]}" for place in (60, 500, 3000)]
    return [*_COMMON, *rare, *mixed]


def _filled(place: Path, vocabulary: Vocabulary, size: int, database_url: str | None) -> tuple[float, int]:
    noted = place / "benchmark.json"
    if noted.is_file():
        known = json.loads(noted.read_text())
        return float(known["fill_s"]), int(known["texts"])
    with Library.open(place, database_url, create=True) as library:
        filling = Filling(library, vocabulary, PreparedEncoder(vocabulary).facts)
        fill_s = filling.fill(size)
    noted.write_text(json.dumps({"fill_s": fill_s, "texts": filling.texts}))
    return fill_s, filling.texts


def _timed(library: Library, service: SearchService, texts: Sequence[str]) -> dict[str, Any]:
    cpu, wall, counts = [], [], []
    stages: dict[str, list[float]] = defaultdict(list)
    with _Statements(library) as statements:
        for text in [*texts] * _ROUNDS:
            before, cpu_before, wall_before = statements.count, time.process_time(), time.perf_counter()
            result = service.search(SearchRequest(text=text))
            cpu.append((time.process_time() - cpu_before) * 1000)
            wall.append((time.perf_counter() - wall_before) * 1000)
            counts.append(statements.count - before)
            for name, cost in getattr(result, "timings_ms", {}).items():
                stages[name].append(cost)
    return {
        "cpu": _cost(cpu),
        "wall": _cost(wall),
        "stages_cpu_ms": {name: statistics.median(costs) for name, costs in stages.items()},
        "statements": (statistics.median(counts), max(counts)),
    }


class _Statements:
    """Counts what reaches the database."""

    def __init__(self, library: Library) -> None:
        self.count = 0
        self._engine = library.engine

    def __enter__(self) -> _Statements:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, *_: object) -> None:
        self.count += 1


def _parallel(place: Path, dim: int, database_url: str | None) -> dict[str, float]:
    """How many times the searches of one worker two workers answer."""
    one = _processes(place, dim, database_url, 1)
    return {
        "threads": _threads(place, dim, database_url, 2) / _threads(place, dim, database_url, 1),
        "processes": _processes(place, dim, database_url, 2) / one,
    }


def _threads(place: Path, dim: int, database_url: str | None, count: int) -> float:
    vocabulary = Vocabulary(dim)
    with Library.open(place, database_url) as library, ThreadPoolExecutor(count) as pool:
        service = SearchService(library, PreparedEncoder(vocabulary))
        service.search(SearchRequest(text="a man"))
        started = threading.Barrier(count)
        return sum(pool.map(lambda _: _rate(service, queries(vocabulary), started), range(count)))


def _processes(place: Path, dim: int, database_url: str | None, count: int) -> float:
    context = get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(count, mp_context=context) as pool:
        started = manager.Barrier(count)
        waiting = [pool.submit(_answer, place, dim, database_url, started) for _ in range(count)]
        return sum(one.result() for one in waiting)


def _answer(place: Path, dim: int, database_url: str | None, started: Any) -> float:
    vocabulary = Vocabulary(dim)
    with Library.open(place, database_url) as library:
        service = SearchService(library, PreparedEncoder(vocabulary))
        service.search(SearchRequest(text="a man"))
        return _rate(service, queries(vocabulary), started)


def _rate(service: SearchService, texts: Sequence[str], started: Any) -> float:
    """Searches per second of this worker, while all of them search."""
    started.wait()
    begun, done = time.perf_counter(), 0
    while time.perf_counter() - begun < _PARALLEL_S:
        service.search(SearchRequest(text=texts[done % len(texts)]))
        done += 1
    return done / (time.perf_counter() - begun)


def _cost(values: Sequence[float]) -> Cost:
    ordered = sorted(values)
    return Cost(statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))])


def _lines(one: Measured, *, checked: bool) -> list[str]:
    stages = ", ".join(f"{name} {cost:.1f}" for name, cost in one.stages_cpu_ms.items())
    parallel = ", ".join(f"two {name} {ratio:.2f}×" for name, ratio in one.parallel.items())
    return [
        f"{one.pictures:>9,} pictures, {one.texts:,} texts: filled in {one.fill_s:.0f} s, opened in {one.open_s:.2f} s,"
        f" first search {one.first_ms:.0f} ms",
        f"          CPU ms p50 {one.cpu.p50_ms:.1f}, p95 {one.cpu.p95_ms:.1f};"
        f" wall p50 {one.wall.p50_ms:.1f}, p95 {one.wall.p95_ms:.1f}",
        f"          statements {one.statements[0]:.0f} (most {one.statements[1]}), {one.memory_mb:.0f} MB at most,"
        f" {one.home_mb:.0f} MB on disk",
        *([f"          CPU ms by stage: {stages}"] if stages else []),
        *([f"          searches/s against one worker: {parallel}"] if parallel else []),
        *(f"          {line}" for line in one.differing),
        *([f"          the first {FIRST} hits are those of looking at all"] if checked and not one.differing else []),
    ]


if __name__ == "__main__":
    main()
