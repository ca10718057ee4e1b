"""What safety and bookkeeping cost: `index` against a plain loop that decodes, embeds and stores nothing.

    .venv/bin/python -m benchmarks.indexing FOLDER [--model MODEL] [--rounds N]

The plain loop is what a script does: Pillow in the same process, one picture at a time, vectors kept in memory. `index`
decodes in limited children, hashes, makes previews, writes checksummed segments and rows with fsync, and builds the
search index. Both use the same encoder with the same threads, in turn, in one run; the ratio is of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from benchmarks.hardware import cpu_seconds
from indexer.pipeline import IndexOptions, index_paths
from indexer.scan import scan_root
from search.library import Library
from search.settings import available_cores
from vision.encoders.base import Encoder
from vision.encoders.registry import load_encoder
from vision.machine import processor_name


@dataclass(frozen=True, slots=True)
class Cost:
    """What one pass over the pictures took: wall-clock and CPU seconds, children included."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Measure, and print the ratio with the hardware."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="storybook-encoder")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    cores = available_cores()
    encoder = load_encoder(arguments.model, threads=cores)
    paths = [fact.path for fact in scan_root(str(arguments.folder.resolve()), {}).work]
    if not paths:
        sys.exit(f"{arguments.folder}: no pictures")
    _plain(encoder, paths[:2])  # Warms the encoder up.
    plain = [_measured(lambda: _plain(encoder, paths)) for _ in range(arguments.rounds)]
    full = [_measured(lambda: _index(encoder, arguments.folder, cores)) for _ in range(arguments.rounds)]
    print(f"{len(paths)} pictures, {encoder.facts.name} ({encoder.facts.backend}), {cores} cores, {processor_name()}")
    for name, costs in (("plain loop", plain), ("deixis index", full)):
        wall_s, cpu_s = _median(costs)
        print(f"{name:<13} {len(paths) / wall_s:6.1f} pictures/s   {1000 * cpu_s / len(paths):6.1f} CPU-ms/picture")
    (plain_wall_s, plain_cpu_s), (full_wall_s, full_cpu_s) = _median(plain), _median(full)
    faster, dearer = plain_wall_s / full_wall_s, full_cpu_s / plain_cpu_s
    print(f"deixis index / plain loop: {faster:.2f}× the pictures/s, {dearer:.2f}× the CPU")


def _plain(encoder: Encoder, paths: list[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    vectors = []
    for path in paths:
        with Image.open(path) as picture:
            pixels = np.array(ImageOps.exif_transpose(picture).convert("RGB"))
        vectors.append(encoder.encode_images([pixels])[0])
    return np.stack(vectors)


def _index(encoder: Encoder, folder: Path, cores: int) -> None:
    with tempfile.TemporaryDirectory() as home, Library.open(Path(home), create=True) as library:
        index_paths(library, encoder, [folder], IndexOptions(decode_workers=cores))


def _measured(work: Callable[[], object]) -> Cost:
    wall_s, cpu_s = time.perf_counter(), cpu_seconds()
    work()
    return Cost(time.perf_counter() - wall_s, cpu_seconds() - cpu_s)


def _median(costs: list[Cost]) -> tuple[float, float]:
    return statistics.median(cost.wall_s for cost in costs), statistics.median(cost.cpu_s for cost in costs)


if __name__ == "__main__":
    main()
