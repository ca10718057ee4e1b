"""What indexing costs, safety and bookkeeping included, beside rclip, plain loops and the encoder alone.

    .venv/bin/python -m benchmarks.indexing PHOTOGRAPHS --model EXPORTED [--torch FOLDER] [--peers FOLDER]

PHOTOGRAPHS is a folder of JPEGs; they are scaled to 640×480, 1632×1224 and 4032×3024 with a little noise (quality 88),
300, 150 and 60 of them, each photograph as often as it takes. EXPORTED is a folder that `deixis export` has written:
`index` and rclip run the same graph. rclip is what `pip install --no-deps --target FOLDER rclip`, with ftfy, regex,
wcwidth, tqdm, requests and pi_heif, has put into `--peers`. `--torch` is the same model with its weights, for the plain
loops. Each pass is a process of its own, model loaded and warm; passes alternate; ratios are of the medians, with those
of the rounds in brackets. Where other programs use the cores, CPU seconds tell more than the clock.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.indexing_loops import LOOPS, Cost
from search.settings import available_cores
from vision.machine import machine_line

SIZES = {"VGA": ((640, 480), 300), "2 MP": ((1632, 1224), 150), "12 MP": ((4032, 3024), 60)}
"""Name → width and height of a picture that lies, and how many."""

_TORCH = ("transformers", "sentence-transformers")


def main() -> None:
    """Measure, and print a table with ratios."""
    arguments = _arguments()
    if arguments.one:
        cost = LOOPS[arguments.one](arguments.folder, arguments.model, arguments.backend)
        print(json.dumps([cost.wall_s, cost.cpu_s]))
        return
    loops = ["encoder alone", "deixis", *(["rclip"] if arguments.peers else []), *(_TORCH if arguments.torch else [])]
    print(f"{machine_line(available_cores())}; median of {arguments.rounds}")
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            (width, height), count = SIZES[size]
            pictures = _scaled(arguments.folder, Path(folder) / size, (width, height), min(count, arguments.count))
            for backend in arguments.backends:
                _compare(loops, pictures, size, backend, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--torch", help="the same model with its weights")
    parser.add_argument("--peers", type=Path, help="where rclip is installed")
    parser.add_argument("--backends", nargs="+", default=["onnx", "onnx:int8"])
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=1000, help="at most so many pictures of each size")
    parser.add_argument("--one", choices=list(LOOPS), help=argparse.SUPPRESS)
    parser.add_argument("--backend", default="onnx", help=argparse.SUPPRESS)
    return parser.parse_args()


def _scaled(source: Path, out: Path, size_wh: tuple[int, int], count: int) -> Path:
    out.mkdir()
    noise = np.random.default_rng(0)
    paths = sorted(source.rglob("*.jpg"))
    if not paths:
        sys.exit(f"{source}: no JPEGs")
    for number, path in enumerate(itertools.islice(itertools.cycle(paths), count)):
        with Image.open(path) as picture:
            upright = picture.width < picture.height
            scaled = picture.convert("RGB").resize(size_wh[::-1] if upright else size_wh, Image.Resampling.BICUBIC)
        pixels = np.asarray(scaled, np.int16)
        grain = noise.integers(-4, 5, pixels.shape, dtype=np.int16)
        Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8)).save(out / f"{number:04}.jpg", quality=88)
    return out


def _compare(loops: list[str], pictures: Path, size: str, backend: str, arguments: argparse.Namespace) -> None:
    fastest = backend == arguments.backends[0]
    chosen = [loop for loop in loops if fastest or loop not in _TORCH]  # they have one precision
    costs: dict[str, list[Cost]] = {loop: [] for loop in chosen}
    for _ in range(arguments.rounds):
        for loop in chosen:
            model = arguments.torch if loop in _TORCH else arguments.model
            costs[loop].append(_pass(loop, pictures, model, backend, arguments.peers))
    count = len(list(pictures.glob("*.jpg")))
    wall = {loop: statistics.median(cost.wall_s for cost in some) for loop, some in costs.items()}
    cpu = {loop: statistics.median(cost.cpu_s for cost in some) for loop, some in costs.items()}
    print(f"\n{size}, {backend}, {count} pictures")
    for loop in chosen:
        line = f"  {loop:<21} {count / wall[loop]:6.1f} pictures/s {1000 * cpu[loop] / count:7.1f} CPU-ms a picture"
        if loop != "deixis":
            pairs = list(zip(costs[loop], costs["deixis"], strict=True))
            by_wall = _spread(theirs.wall_s / ours.wall_s for theirs, ours in pairs)
            by_cpu = _spread(theirs.cpu_s / ours.cpu_s for theirs, ours in pairs)
            line += f"  deixis: {wall[loop] / wall['deixis']:.2f}× {by_wall} the pictures/s"
            line += f", {cpu[loop] / cpu['deixis']:.2f}× {by_cpu} per CPU-s"
        print(line, flush=True)


def _spread(ratios: Iterable[float]) -> str:
    some = list(ratios)
    return f"[{min(some):.2f}, {max(some):.2f}]"


def _pass(loop: str, pictures: Path, model: str, backend: str, peers: Path | None) -> Cost:
    command: list[Any] = [sys.executable, "-m", "benchmarks.indexing", pictures]
    command += ["--model", model, "--one", loop, "--backend", backend]
    # Our own modules first: the peers' folder may hold other versions of what both need.
    paths = [str(Path(__file__).resolve().parents[1]), *([str(peers)] if peers else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  # our own module
    if done.returncode != 0:
        sys.exit(f"{loop}: exit status {done.returncode}")
    wall_s, cpu_s = json.loads(done.stdout.splitlines()[-1])
    return Cost(wall_s, cpu_s)


if __name__ == "__main__":
    main()
