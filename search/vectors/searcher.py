"""Search the active generation: follow its row, load its file once, answer many threads."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.db.schema import Model
from search.db.session import Database
from search.errors import CorruptionError, NotFoundError
from search.vectors.generations import active_generation
from search.vectors.index import REBUILD, VectorIndex, load_index


@dataclass(frozen=True, slots=True)
class Searcher:
    """One generation, ready to answer; keeps answering from it when a newer one is published.

    Attributes:
        dim: length of a query vector.
        index: None before the first publication.
    """

    dim: int
    index: VectorIndex | None

    @property
    def size(self) -> int:
        """Number of published vectors."""
        return 0 if self.index is None else self.index.size

    def search(self, queries: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The `k` nearest embeddings of each query by cosine similarity, best first.

        Args:
            queries: `(n, dim)` float32, L2-normalised.
            k: at least 1.

        Returns:
            scores `(n, k)` float32 and embedding ids `(n, k)` int64; where there are fewer than `k` vectors, the rest
            are -inf and -1.

        Raises:
            ValueError: the queries have another shape, or `k` is below 1.
        """
        if queries.ndim != 2 or queries.shape[1] != self.dim:
            raise ValueError(f"queries must be (n, {self.dim}), got {queries.shape}")
        if k < 1:
            raise ValueError(f"k must be at least 1, got {k}")
        if self.index is None or len(queries) == 0:
            shape = (len(queries), k)
            return np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int64)
        return self.index.search(queries, k)

    def sample(self, limit: int) -> NDArray[np.float32]:
        """Vectors that stand for the whole generation.

        Returns:
            `(min(limit, size), dim)` float32, L2-normalised, spread evenly and always the same.
        """
        return np.empty((0, self.dim), np.float32) if self.index is None else self.index.sample(limit)


class Searchers:
    """The searchers of one library, each kept until its generation is no longer the active one.

    Args:
        database: where the rows are.
        folder: of the generation files.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: dict[tuple[int, str], tuple[int, Searcher]] = {}

    def current(self, model_id: int, kind: str) -> Searcher:
        """The active generation of this moment.

        Raises:
            NotFoundError: there is no such model.
            CorruptionError: the file is missing or not what was written.
        """
        missing: str | None = None
        while True:
            with self._database.read() as session:
                model = session.get(Model, model_id)
                active = active_generation(session, model_id, kind)
            if model is None:
                raise NotFoundError(f"There is no model {model_id} in this library")
            if active is None:
                return Searcher(model.dim, None)
            if active.file_name == missing:
                raise CorruptionError(f"The index {missing} is missing", remedy=REBUILD)
            with self._lock:
                generation_id, searcher = self._loaded.get((model_id, kind), (0, None))
                if searcher is not None and generation_id == active.id:
                    return searcher
                try:
                    searcher = Searcher(model.dim, load_index(self._folder / active.file_name, active.sha256))
                except FileNotFoundError:
                    # Two publications may have passed since the row was read: look which one is active now.
                    missing = active.file_name
                    continue
                self._loaded[model_id, kind] = (active.id, searcher)
                return searcher

    def clear(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._loaded.clear()
