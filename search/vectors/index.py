"""FAISS, and nothing but FAISS: build an index from vectors, put it into a file, load it, search it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from search.errors import CorruptionError
from search.settings import available_cores
from search.vectors.durable import writing_to
from vision.whole_files import whole_file

REBUILD = "Run `deixis rebuild`: it makes the index again from the stored vectors."

_SLOTS = threading.BoundedSemaphore(available_cores())
"""One search per core at a time: a scan is bound by memory, and more of them at once make every one slower."""


class VectorIndex:
    """An immutable index over embeddings, searched by inner product (cosine, as all vectors have unit length).

    Args:
        index: a FAISS `IndexIDMap2`.
    """

    def __init__(self, index: Any) -> None:
        self._index = index
        self._sample: NDArray[np.float32] | None = None

    @property
    def size(self) -> int:
        """Number of vectors."""
        return int(self._index.ntotal)

    @property
    def ids(self) -> NDArray[np.int64]:
        """`(size,)` int64 embedding ids in the index's own order."""
        ids: NDArray[np.int64] = faiss.vector_to_array(self._index.id_map)
        return ids

    def vectors(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """`(n, dim)` float32: the vectors at these places of `ids`, as the index holds them."""
        found: NDArray[np.float32] = self._index.index.reconstruct_batch(places)
        return found

    def write(self, write: Callable[[bytes], int]) -> None:
        """Hand the index's bytes to `write`, piece by piece; what that raises comes through."""
        # Its own writer for files tells stderr, and nobody else, that the disk is full.
        writer = faiss.PyCallbackIOWriter(write)  # type: ignore[attr-defined, unused-ignore]  # its stubs lack the class
        faiss.write_index(self._index, writer)

    def sample(self, limit: int) -> NDArray[np.float32]:
        """Vectors spread evenly over the index, the same every time.

        Returns:
            `(min(limit, size), dim)` float32.
        """
        count = min(limit, self.size)
        # Remembered, because every query asks for the same ones; two threads at most compute it twice.
        if self._sample is None or len(self._sample) != count:
            self._sample = self.vectors(sample_places(self.size, count))
        return self._sample

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The `k` nearest vectors of each query, best first.

        Args:
            queries: `(n, dim)` float32, L2-normalised.
            k: at least 1.

        Returns:
            scores `(n, k)` float32 and embedding ids `(n, k)` int64; where there are fewer than `k` vectors, the rest
            are -inf and -1.
        """
        with _SLOTS:
            # The setting belongs to the calling thread, so it is made here. One thread was 5 times as fast as two.
            faiss.omp_set_num_threads(1)
            scores, ids = self._index.search(np.ascontiguousarray(queries, np.float32), k)
        scores[ids < 0] = -np.inf
        return scores, ids


def sample_places(size: int, limit: int) -> NDArray[np.int64]:
    """`(min(limit, size),)` int64: places spread evenly over an index of this size."""
    return np.linspace(0, max(size - 1, 0), min(limit, size)).astype(np.int64)


def build_index(key: str, dim: int, batches: Iterable[tuple[NDArray[np.int64], NDArray[np.float32]]]) -> VectorIndex:
    """Make an index from `(ids (n,) int64, vectors (n, dim) float32)` batches.

    Args:
        key: factory string from `search.vectors.policy`; of a kind that needs no training.
        dim: length of a vector.
        batches: read once, in order.
    """
    faiss.omp_set_num_threads(1)
    index = faiss.IndexIDMap2(faiss.index_factory(dim, key, faiss.METRIC_INNER_PRODUCT))
    for ids, vectors in batches:
        if len(ids):
            index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.ascontiguousarray(ids, np.int64))
    return VectorIndex(index)


def save_index(index: VectorIndex, path: Path) -> tuple[str, int]:
    """Write an index to a new file: under a temporary name first, and on disk before it gets its own.

    Returns:
        SHA-256 (hex) and size in bytes.

    Raises:
        LibraryError: the file cannot be written; nothing is left behind.
    """
    digest = hashlib.sha256()
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:

            def write(piece: bytes) -> int:
                digest.update(piece)
                return file.write(piece)

            index.write(write)
            size_bytes = file.tell()
    return digest.hexdigest(), size_bytes


def load_index(path: Path, sha256: str) -> VectorIndex:
    """Load an index after checking every byte of its file.

    Raises:
        FileNotFoundError: there is no such file; the caller knows whether a newer generation has replaced it.
        CorruptionError: the file is not the one that was written.
    """
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise CorruptionError(f"The index {path.name} has the checksum {found}, expected {sha256}", remedy=REBUILD)
        # From the open file and not from its name: a publication may be deleting that just now.
        file.seek(0)
        reader = faiss.PyCallbackIOReader(file.read)  # type: ignore[attr-defined, unused-ignore]  # not in its stubs
        return VectorIndex(faiss.read_index(reader))
