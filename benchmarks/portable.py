"""What an export costs: its memory must not grow with the library, and its time is held against copying the home.

    python -m benchmarks.portable [--pictures 10000] [--times 4] [--dim 256]

Fills two libraries, the second so many times as large, with made-up pictures, captions, boxes and vectors. Each is
exported and imported in a process of its own. Printed: seconds; their ratio to copying the home file by file, which is
what a backup without an export is; and the highest memory of the process, of an import before it publishes, for indexes
and the catalogue are built in memory. The ratio of both libraries' is 1 where memory is flat. SQLite, one thread,
whatever the disk has cached.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.filling import Filling, PreparedEncoder
from benchmarks.vocabulary import Vocabulary
from indexer.export_library import export_library
from indexer.import_library import import_library
from indexer.report import Progress
from search.library import Library
from search.settings import available_cores
from vision.machine import processor_name


def filled(home: Path, pictures: int, dim: int) -> None:
    """Make a library of so many pictures."""
    vocabulary = Vocabulary(dim)
    with Library.open(home, create=True) as library:
        Filling(library, vocabulary, PreparedEncoder(vocabulary).facts).fill(pictures)


def exported(home: Path, folder: Path) -> None:
    """Write its export."""
    with Library.open(home) as library:
        export_library(library, folder)


def imported(home: Path, folder: Path) -> int:
    """Fill an empty home with the export, and publish; returns the highest resident kB before that began."""
    peaks: list[int] = []

    def look(step: Progress) -> None:
        if step.stage == "publish":
            peaks.append(_peak_kilobytes())

    with Library.open(home, create=True) as library:
        import_library(library, folder, on_progress=look)
    return peaks[0]


def copied(home: Path, folder: Path) -> None:
    """Copy the home file by file."""
    shutil.copytree(home, folder)


def measured(work: object, *arguments: object) -> tuple[float, float]:
    """Wall-clock seconds and the highest resident MB of one call in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        seconds, kilobytes = pool.apply(_run, (work, arguments))
    return seconds, kilobytes / 1000


def _run(work: object, arguments: tuple[object, ...]) -> tuple[float, int]:
    assert callable(work)
    started = time.perf_counter()
    peak = work(*arguments)
    return time.perf_counter() - started, peak or _peak_kilobytes()


def _peak_kilobytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--dim", type=int, default=256)
    asked = parser.parse_args()
    print(f"{processor_name()}, {available_cores()} cores, dim {asked.dim}")
    peaks: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place:
        for pictures in (asked.pictures, asked.pictures * asked.times):
            root = Path(place) / str(pictures)
            root.mkdir()
            measured(filled, root / "home", pictures, asked.dim)
            copy_s, _ = measured(copied, root / "home", root / "copy")
            print(f"{pictures} pictures; copying the home: {copy_s:.2f} s")
            for name, work, source in (("export", exported, "home"), ("import", imported, "back")):
                seconds, peak = measured(work, root / source, root / "export")
                peaks.setdefault(name, []).append(peak)
                print(f"  {name}: {seconds:.1f} s, {seconds / copy_s:.1f} times the copy; {peak:.0f} MB")
    for name, (small, large) in peaks.items():
        print(f"{name}: {large / small:.2f} times the memory for {asked.times} times the pictures")


if __name__ == "__main__":
    main()
