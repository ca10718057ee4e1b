"""What a search among many vectors costs and finds: ours beside plain FAISS and other engines, in one run."""

from __future__ import annotations

import argparse
import atexit
import importlib
import platform
import resource
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.hardware import cpu_seconds
from search.vectors.effort import QUERIES, calibrate, k_recall, turned
from search.vectors.index import VectorIndex, build_index
from search.vectors.policy import STORAGE, fast_key, index_key

_ASKED = 50
_BATCH = 50_000
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Search = Callable[[Floats, int], Ids]


def make_pictures(count: int, dim: int) -> Floats:
    """`(count, dim)` float32, L2-normalised, in clusters, with few directions that hold most of the variance."""
    generator = np.random.default_rng(0)
    scale = (np.arange(1, dim + 1) ** -0.5).astype(np.float32)
    centres = generator.standard_normal((max(50, count // 500), dim), np.float32) * scale
    made = np.empty((count, dim), np.float32)
    for first in range(0, count, _BATCH):
        size = min(_BATCH, count - first)
        some = centres[generator.integers(0, len(centres), size)]
        some = some + 0.7 * generator.standard_normal((size, dim), np.float32) * scale
        made[first : first + size] = some / np.linalg.norm(some, axis=1, keepdims=True)
    return made


def measure(name: str, search: Search, asked: dict[str, Floats], exact: dict[str, Ids]) -> None:
    """Print one line: p50 and p95 wall, CPU per query for 10 hits, k-recall@10 and @100 per kind of query."""
    recalls = {
        kind: (k_recall(search(q, 10), exact[kind][:, :10]), k_recall(search(q, 100), exact[kind]))
        for kind, q in asked.items()
    }
    walls, before = [], cpu_seconds()
    for query in np.concatenate(list(asked.values())):
        started = time.perf_counter()
        search(query[None], 10)
        walls.append(1000 * (time.perf_counter() - started))
    cpu_ms = 1000 * (cpu_seconds() - before) / len(walls)
    found = ", ".join(f"{kind} {ten:.3f} / {hundred:.3f}" for kind, (ten, hundred) in recalls.items())
    p50, p95 = np.percentile(walls, [50, 95])
    print(f"| {name} | {p50:.2f} | {p95:.2f} | {cpu_ms:.2f} | {found} | {_memory_mb()} |", flush=True)


def measure_filters(name: str, index: VectorIndex, asked: Floats) -> None:
    """Print what a filter costs at three shares of the library, and that it is exact."""
    for share in (0.5, 0.05, 0.001):
        generator = np.random.default_rng(3)
        where = np.sort(generator.choice(index.size, max(1, int(index.size * share)), replace=False)).astype(np.int64)
        walls = []
        for query in asked[:20]:
            started = time.perf_counter()
            found = index.search(query[None], 10, where)[1][0]
            walls.append(1000 * (time.perf_counter() - started))
        best = where[np.argsort(-(asked[19] @ index.vectors(where).T))[:10]]
        right = len(np.intersect1d(found, best)) / min(10, len(best))
        print(f"| {name}, {share:.1%} allowed | {np.median(walls):.2f} | | | k-recall@10 {right:.2f} | |", flush=True)


def _scan(vectors: Floats, queries: Floats, k: int) -> Ids:
    """The exact answer in float32."""
    cosines = np.concatenate([queries @ vectors[at : at + _BATCH].T for at in range(0, len(vectors), _BATCH)], axis=1)
    return np.argsort(-cosines, axis=1)[:, :k]


def _memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _ours(vectors: Floats, queries: Floats) -> VectorIndex:
    key = index_key(len(vectors), vectors.shape[1])
    batches = (
        (np.arange(at, min(at + _BATCH, len(vectors)), dtype=np.int64), vectors[at : at + _BATCH])
        for at in range(0, len(vectors), _BATCH)
    )
    index = build_index(key, vectors.shape[1], batches)
    codes = fast_key(vectors.shape[1])
    if key != STORAGE or codes is None:
        return index
    coded = index.with_codes(codes)
    measured = calibrate(coded, queries, "texts")
    print(f"ours: {measured.as_json()}{'' if measured.effort else ', so that all are scanned'}", flush=True)
    coded.effort = measured.effort
    return coded


def _faiss(key: str, vectors: Floats) -> Search:
    faiss: Any = importlib.import_module("faiss")
    index = faiss.index_factory(vectors.shape[1], key, faiss.METRIC_INNER_PRODUCT)
    index.add(vectors)
    return lambda queries, k: np.asarray(index.search(queries, k)[1])


def _usearch(vectors: Floats) -> Search:
    index = importlib.import_module("usearch.index").Index(ndim=vectors.shape[1], metric="ip", dtype="f16")
    index.add(np.arange(len(vectors)), vectors, threads=1)
    return lambda queries, k: np.asarray(index.search(queries, k, threads=1).keys, np.int64).reshape(len(queries), k)


def _hnswlib(vectors: Floats) -> Search:
    index = importlib.import_module("hnswlib").Index(space="ip", dim=vectors.shape[1])
    index.init_index(max_elements=len(vectors), ef_construction=40, M=32)
    index.set_num_threads(1)
    index.add_items(vectors)
    index.set_ef(128)
    return lambda queries, k: index.knn_query(queries, k)[0].astype(np.int64)


def _sqlite_vec(vectors: Floats) -> Search:
    extension = importlib.import_module("sqlite_vec")
    database: Any = sqlite3.connect(":memory:")
    if not hasattr(database, "enable_load_extension"):  # Python was built without it
        database = importlib.import_module("pysqlite3").connect(":memory:")
    database.enable_load_extension(True)
    extension.load(database)
    database.execute(f"CREATE VIRTUAL TABLE pictures USING vec0(e float[{vectors.shape[1]}] distance_metric=cosine)")
    rows = ((number, vector.tobytes()) for number, vector in enumerate(vectors))
    database.executemany("INSERT INTO pictures(rowid, e) VALUES (?, ?)", rows)
    nearest = "SELECT rowid FROM pictures WHERE e MATCH ? AND k = ? ORDER BY distance"

    def search(queries: Floats, k: int) -> Ids:
        return np.array([[row[0] for row in database.execute(nearest, (one.tobytes(), k))] for one in queries])

    return search


def _lancedb(vectors: Floats) -> Search:
    folder = tempfile.mkdtemp(prefix="deixis-vectors-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    arrow: Any = importlib.import_module("pyarrow")
    column = arrow.FixedSizeListArray.from_arrays(arrow.array(vectors.reshape(-1)), vectors.shape[1])
    data = arrow.table({"id": np.arange(len(vectors)), "vector": column})
    table = importlib.import_module("lancedb").connect(folder).create_table("pictures", data)
    table.create_index(metric="cosine", num_partitions=max(1, round(len(vectors) ** 0.5) // 2), num_sub_vectors=64)

    def search(queries: Floats, k: int) -> Ids:
        found = np.full((len(queries), k), -1, np.int64)
        for row, query in enumerate(queries):
            asked = table.search(query).distance_type("cosine").nprobes(40).refine_factor(10).limit(k)
            ids = asked.select(["id", "_distance"]).to_arrow()["id"].to_numpy()
            found[row, : len(ids)] = ids
        return found

    return search


_OTHERS: dict[str, tuple[Callable[[Floats], Search], int]] = {
    "FAISS Flat": (lambda vectors: _faiss("Flat", vectors), 1_000_000),
    "FAISS HNSW32 (efSearch 16)": (lambda vectors: _faiss("HNSW32", vectors), 100_000),
    "usearch f16": (_usearch, 100_000),
    "hnswlib M 32, ef 128": (_hnswlib, 100_000),
    "sqlite-vec, scan": (_sqlite_vec, 1_000_000),
    "LanceDB IVF_PQ, 40 probes, refined × 10": (_lancedb, 100_000),
}
"""Engines with the largest size at which they are built within minutes on one core."""


def main() -> None:
    """Measure every size that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, action="append", help="vectors; 10,000 and 100,000 unless given")
    parser.add_argument("--dim", type=int, default=512)
    given = parser.parse_args()
    faiss: Any = importlib.import_module("faiss")
    faiss.omp_set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, one thread, dim {given.dim}, FAISS {faiss.__version__}")
    for size in given.size or [10_000, 100_000]:
        vectors = make_pictures(size, given.dim)
        chosen = vectors[np.random.default_rng(1).choice(size, 2 * _ASKED + QUERIES, replace=False)]
        asked = {"mild": turned(chosen[:_ASKED], 0.7), "hard": turned(chosen[_ASKED : 2 * _ASKED], 0.2)}
        print(f"\n{size} vectors\n| | p50 ms | p95 ms | CPU ms | k-recall@10 / @100 | peak MB |")
        print("|---|---|---|---|---|---|")

        before = cpu_seconds()
        ours = _ours(vectors, turned(chosen[2 * _ASKED :], 0.2))
        print(f"ours: built and calibrated in {cpu_seconds() - before:.1f} CPU-s", flush=True)
        exact = {kind: _scan(vectors, queries, 100) for kind, queries in asked.items()}
        measure("ours", lambda queries, k, index=ours: index.search(queries, k)[1], asked, exact)  # type: ignore[misc]
        measure_filters("ours", ours, asked["hard"])
        for name, (make, largest) in _OTHERS.items():
            if size > largest:
                print(f"| {name} | not built above {largest} | | | | |", flush=True)
                continue
            before = cpu_seconds()
            try:
                search = make(vectors)
            except ImportError as error:
                print(f"| {name} | not installed: {error} | | | | |", flush=True)
                continue
            print(f"{name}: built in {cpu_seconds() - before:.1f} CPU-s", flush=True)
            measure(name, search, asked, exact)


if __name__ == "__main__":
    main()
