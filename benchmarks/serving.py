"""What the server stands: searches and pages by 1 to 128 clients, beside a plain FastAPI + FAISS route in the same run.

    python -m benchmarks.serving [--size 2000] [--dim 512] [--seconds 5] [--clients 1 8 32 128] [--workers 1 2]
                                 [--home FOLDER]

The library is that of `benchmarks.search`, made of random vectors; a stand-in gives prepared vectors for queries, in
both servers, so that the encoder's time is in no figure. The plain route has the same vectors in a Flat index, and
answers with ids and scores: no words, no boxes, no file names, no lanes. Clients run on the same machine and obey
Retry-After.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.filling import Filling, PreparedEncoder
from benchmarks.search import queries
from benchmarks.serving_clients import Load, attack, costly_upload, load, probe
from benchmarks.vocabulary import Vocabulary
from search.library import Library
from search.service import SearchService
from search.settings import Settings, available_cores
from vision.machine import processor_name
from vision.types import Embeddings, RgbImage

_ROOT = Path(__file__).resolve().parents[1]
_HITS = 24
_SEARCH, _PAGE = f"/api/v1/search?q={{}}&k={_HITS}", "/search?q={}"
_ATTACKS = 45


class ServedEncoder(PreparedEncoder):
    """The stand-in, for uploads too: every picture is the same to it."""

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """`(n, dim)` float32, L2-normalised."""
        return self.encode_text(["a man"] * len(images))


def main() -> None:
    """Fill, serve, load, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--home", type=Path, help="keep the library here, and use it again when it is there")
    parser.add_argument("--serve", nargs=3, metavar=("KIND", "PORT", "WORKERS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve[0], int(given.serve[1]), int(given.serve[2]), given.home, given.size, given.dim)
        return
    with tempfile.TemporaryDirectory() as scratch:
        home = given.home or Path(scratch) / "home"
        if not home.exists():
            with Library.open(home, create=True) as library:
                vocabulary = Vocabulary(given.dim)
                Filling(library, vocabulary, ServedEncoder(vocabulary).facts).fill(given.size)
        print(f"{processor_name()}, {available_cores()} cores for servers and clients; {given.size:,} pictures")
        asyncio.run(_measure(given, home))


def serve(kind: str, port: int, workers: int, home: Path, size: int, dim: int) -> None:
    """Run one of the two servers until it is told to stop."""
    vocabulary = Vocabulary(dim)
    if kind == "plain":
        _serve_plain(port, vocabulary, size)
        return
    deps: Any = importlib.import_module("web.deps")
    deps.SearchService = lambda library, wish: SearchService(library, ServedEncoder(vocabulary))
    importlib.import_module("web.server").serve(Settings(home=home, port=port, threads=1, workers=workers))


def _serve_plain(port: int, vocabulary: Vocabulary, size: int) -> None:
    faiss: Any = importlib.import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(vocabulary.dim)
    for first in range(0, size, 20_000):
        index.add(np.ascontiguousarray(vocabulary.pictures(first, min(20_000, size - first)).vectors, np.float32))
    fastapi: Any = importlib.import_module("fastapi")
    app = fastapi.FastAPI()

    def search(q: str, k: int) -> dict[str, Any]:
        scores, ids = index.search(vocabulary.text_vectors([q]), k)
        return {"ids": ids[0].tolist(), "scores": scores[0].tolist()}

    app.get("/api/v1/search")(search)
    granian: Any = importlib.import_module("granian.server.embed")
    asyncio.run(granian.Server(app, address="127.0.0.1", port=port, interface="asgi").serve())


@contextlib.contextmanager
def _running(kind: str, home: Path, given: argparse.Namespace, workers: int = 1) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port and its process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.serving", "--home", str(home), "--size", str(given.size)]
    command += ["--dim", str(given.dim), "--serve", kind, str(port), str(workers)]
    process = subprocess.Popen(command, cwd=_ROOT)  # noqa: S603  # ourselves
    try:
        ready = f"http://127.0.0.1:{port}/" + ("readyz" if kind == "ours" else "api/v1/search?q=a&k=1")
        for _ in range(600):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(ready, timeout=30).close()
                break
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


async def _measure(given: argparse.Namespace, home: Path) -> None:
    words = queries(Vocabulary(given.dim))
    print("| | clients | p50 ms | p99 ms | answers/s | of plain | shed/s | shed p99 ms | healthz p99 | static p99 |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    plain: dict[int, float] = {}
    with _running("plain", home, given) as (port, _):
        await load(port, _SEARCH, words, 1, 1.0)
        for clients in given.clients:
            met = await load(port, _SEARCH, words, clients, given.seconds)
            plain[clients] = met.per_second
            print(_line("plain FastAPI + FAISS", clients, met, 1.0, None), flush=True)
    for workers in given.workers:
        with _running("ours", home, given, workers) as (port, pid):
            await load(port, _SEARCH, words, 2 * workers, 1.0)
            before = _memory_mb(pid)
            for what, path in (("search", _SEARCH), ("page", _PAGE)):
                for clients in given.clients:
                    met, *cheap = await asyncio.gather(
                        load(port, path, words, clients, given.seconds),
                        probe(port, "/healthz", given.seconds),
                        probe(port, "/static/base.css", given.seconds),
                    )
                    ratio = met.per_second / plain[clients]
                    print(_line(f"{what}, {workers} process(es)", clients, met, ratio, cheap), flush=True)
            await _attacked(port, words, given.seconds)
            print(f"memory of {workers} process(es) and their decoders: {before} MB before, {_memory_mb(pid)} MB after")


async def _attacked(port: int, words: Sequence[str], seconds: float) -> None:
    request = costly_upload()
    idle = await load(port, _SEARCH, words, 1, seconds)
    _, met, healthy = await asyncio.gather(
        attack(port, _ATTACKS, request), load(port, _SEARCH, words, 1, seconds), probe(port, "/healthz", seconds)
    )
    slower = met.percentile_ms(0.5) / idle.percentile_ms(0.5)
    print(
        f"{_ATTACKS} abandoned uploads of {len(request) // 1000} kB: a search takes {met.percentile_ms(0.5):.1f} ms "
        f"(p99 {met.percentile_ms(0.99):.1f}), idle {idle.percentile_ms(0.5):.1f} ({idle.percentile_ms(0.99):.1f}): "
        f"{slower:.2f}×; {len(met.shed_s)} shed; healthz p99 {healthy.percentile_ms(0.99):.1f} ms"
    )


def _line(what: str, clients: int, met: Load, ratio: float, cheap: Sequence[Load] | None) -> str:
    beside = ["" if cheap is None else f"{one.percentile_ms(0.99):.0f}" for one in cheap or (met, met)]
    shed = len(met.shed_s) / met.took_s
    figures = f"{met.percentile_ms(0.5):.1f} | {met.percentile_ms(0.99):.1f} | {met.per_second:.0f} | {ratio:.2f}×"
    shed_ms = met.percentile_ms(0.99, shed=True)
    odd = f" ({met.other} other)" if met.other else ""
    return f"| {what}{odd} | {clients} | {figures} | {shed:.0f} | {shed_ms:.0f} | {beside[0]} | {beside[1]} |"


def _memory_mb(pid: int) -> int:
    """Proportional set size of a process and all below it: what they share is counted once."""
    total, todo = 0, [pid]
    while todo:
        one = todo.pop()
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
            for task in Path(f"/proc/{one}/task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
    return total // 1024


if __name__ == "__main__":
    main()
