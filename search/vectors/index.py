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
from search.vectors.effort import Effort
from search.vectors.halves import Halves, compared, decoded
from vision.whole_files import whole_file

REBUILD = "Run `deixis rebuild`: it makes the index again from the stored vectors."

_FAISS: Any = faiss
"""The module without its stubs, which lack what its Python layer adds to constructors."""

_SLOTS = threading.BoundedSemaphore(available_cores())
"""One search per core at a time: a scan is bound by memory, and more of them at once make every one slower."""

_GATHERED = 2_048
"""Up to so many allowed ids, or a fiftieth of the index, their vectors are compared one by one."""

_TRAINED_ON = 16_384
"""Vectors that codes are trained on, spread evenly: 16 means for each two dimensions."""

_AT_ONCE = 16_384
"""Vectors that are coded at a time: 32 MB at 512 dimensions."""


class VectorIndex:
    """An immutable index over embeddings, searched by inner product (cosine, as all vectors have unit length).

    Args:
        index: a FAISS `IndexIDMap` over what stores the vectors, or over codes that choose which of those to compare.
        effort: how many of those; None compares all.
    """

    def __init__(self, index: Any, effort: Effort | None = None) -> None:
        self._index = index
        self.effort = effort
        inner: Any = faiss.downcast_index(index.index)
        self._coded = inner if isinstance(inner, faiss.IndexRefine) else None
        self._storage = faiss.downcast_index(inner.refine_index) if self._coded is not None else inner
        self._halves = _halves(self._storage)
        self._ids: NDArray[np.int64] | None = None
        self._sample: NDArray[np.float32] | None = None
        self._by_id: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    @property
    def size(self) -> int:
        """Number of vectors."""
        return int(self._index.ntotal)

    @property
    def ids(self) -> NDArray[np.int64]:
        """`(size,)` int64 embedding ids in the index's own order."""
        if self._ids is None or len(self._ids) != self.size:
            self._ids = faiss.vector_to_array(self._index.id_map)
        return self._ids

    def places(self, embedding_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """`(n,)` int64: where these embeddings stand in `ids`, -1 for those that are not here."""
        if self._by_id is None:
            ids = self.ids
            order = np.argsort(ids, kind="stable")
            self._by_id = ids[order], order
        ascending, order = self._by_id
        if len(ascending) == 0:
            return np.full(len(embedding_ids), -1, np.int64)
        at = np.minimum(np.searchsorted(ascending, embedding_ids), len(ascending) - 1)
        return np.where(ascending[at] == embedding_ids, order[at], -1)

    def vectors(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """`(n, dim)` float32: the vectors at these places of `ids`, as the index holds them."""
        if self._halves is not None:
            return decoded(self._halves, places)
        found: NDArray[np.float32] = self._storage.reconstruct_batch(np.ascontiguousarray(places, np.int64))
        return found

    def cosines(self, places: NDArray[np.int64], queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(n, q)` float32: inner products of the vectors at these places of `ids` with the queries `(q, dim)`."""
        if self._halves is not None:
            return compared(self._halves, places, queries)
        found: NDArray[np.float32] = self.vectors(places) @ queries.T
        return found

    def with_codes(self, key: str) -> VectorIndex:
        """The same vectors behind codes of this kind, which are trained here; searched as hard as `search` is told."""
        codes = faiss.index_factory(self._storage.d, key, faiss.METRIC_INNER_PRODUCT)
        faiss.omp_set_num_threads(1)
        codes.train(self.vectors(sample_places(self.size, _TRAINED_ON)))
        for first in range(0, self.size, _AT_ONCE):
            codes.add(self.vectors(np.arange(first, min(first + _AT_ONCE, self.size), dtype=np.int64)))
        refined: Any = faiss.IndexRefine(codes, self._storage)
        index: Any = faiss.IndexIDMap(
            faiss.IndexFlatIP(refined.d)
        )  # It takes none that is filled, unless it is given later.
        index.index = refined
        faiss.copy_array_to_vector(self.ids, index.id_map)
        index.ntotal = refined.ntotal
        # FAISS keeps addresses only: what they lead to must live as long.
        refined.referenced_objects = [codes, self._storage, self._index]
        index.referenced_objects = [refined]
        return VectorIndex(index)

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

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        where: NDArray[np.int64] | None = None,
        effort: Effort | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The `k` nearest vectors of each query, best first.

        Args:
            queries: `(n, dim)` float32, L2-normalised.
            k: at least 1.
            where: ascending ids that may be found; None for all. The answer is exact at any selectivity.
            effort: another than the index's own.

        Returns:
            scores `(n, k)` float32 and embedding ids `(n, k)` int64; where there are fewer than `k` vectors, the rest
            are -inf and -1.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        if where is not None and len(where) <= max(_GATHERED, self.size // 50):
            with _SLOTS:
                return self._among(queries, k, where)
        index, chosen = self._how(k, where, effort or self.effort)
        with _SLOTS:
            # The setting belongs to the calling thread, so it is made here. One thread was 5 times as fast as two.
            faiss.omp_set_num_threads(1)
            scores, places = index.search(queries, k, params=chosen)
        missing = places < 0
        ids = np.where(missing, -1, self.ids[places]) if self.size else places
        scores[missing] = -np.inf
        return scores, ids

    def _how(self, k: int, where: NDArray[np.int64] | None, effort: Effort | None) -> tuple[Any, Any]:
        """Which index is searched, and with what parameters; codes know no filter, so that one compares exactly."""
        if where is not None:
            allowed = np.zeros(self.size, np.bool_)
            places = self.places(where)
            allowed[places[places >= 0]] = True
            bits = np.packbits(allowed, bitorder="little")
            return self._storage, _FAISS.SearchParameters(sel=_FAISS.IDSelectorBitmap(bits))
        if self._coded is None or effort is None or effort.candidates(k) >= self.size:
            return self._storage, None
        return self._coded, _FAISS.IndexRefineSearchParameters(k_factor=effort.candidates(k) / k)

    def _among(
        self, queries: NDArray[np.float32], k: int, where: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Compare with each of these alone: so few are read faster than all are passed over."""
        places = self.places(where)
        known = where[places >= 0]
        cosines = self.cosines(places[places >= 0], queries).T
        scores = np.full((len(queries), k), -np.inf, np.float32)
        ids = np.full((len(queries), k), -1, np.int64)
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
        scores[:, : order.shape[1]] = np.take_along_axis(cosines, order, axis=1)
        ids[:, : order.shape[1]] = known[order]
        return scores, ids


def _halves(storage: Any) -> Halves | None:
    """What stores float16, as it lies in memory; None of another kind. Valid as long as the index lives."""
    if not isinstance(storage, faiss.IndexScalarQuantizer) or storage.ntotal == 0:
        return None
    if storage.sq.qtype != faiss.ScalarQuantizer.QT_fp16:
        return None
    size_bytes = storage.ntotal * storage.code_size
    stored: Halves = _FAISS.rev_swig_ptr(storage.codes.data(), size_bytes).view("<i2").reshape(storage.ntotal, -1)
    return stored


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
    index = faiss.IndexIDMap(faiss.index_factory(dim, key, faiss.METRIC_INNER_PRODUCT))
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


def load_index(path: Path, sha256: str, effort: Effort | None = None) -> VectorIndex:
    """Load an index after checking every byte of its file, which stays mapped: processes share one copy of it.

    Raises:
        FileNotFoundError: there is no such file; the caller knows whether a newer generation has replaced it.
        CorruptionError: the file is not the one that was written.
    """
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise CorruptionError(f"The index {path.name} has the checksum {found}, expected {sha256}", remedy=REBUILD)
        # From the open file and not from its name: a publication may be deleting that just now.
        return VectorIndex(faiss.read_index(f"/dev/fd/{file.fileno()}", faiss.IO_FLAG_MMAP_IFC), effort)
