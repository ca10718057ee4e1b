"""Search the active generation: follow its row, load its file once, answer many threads."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from search.db.schema import Generation, Model
from search.db.session import Database
from search.errors import CorruptionError, NotFoundError
from search.vectors.effort import Effort, read_effort
from search.vectors.generations import active_generation
from search.vectors.index import REBUILD, VectorIndex, build_index, load_index, sample_places


@dataclass(frozen=True, slots=True)
class Searcher:
    """One generation, ready to answer; keeps answering from it when a newer one is published.

    Attributes:
        dim: length of a query vector.
        index: None before the first publication.
        generation_id: which generation; 0 before the first.
        tail: what is committed beside it and searched too; None where that is nothing or was not asked for.
        waiting: vectors that are committed and neither published nor in the tail.
    """

    dim: int
    index: VectorIndex | None
    generation_id: int = 0
    tail: VectorIndex | None = None
    waiting: int = 0
    _samples: dict[int, NDArray[np.float32]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def size(self) -> int:
        """Number of vectors that are searched."""
        return sum(part.size for part in self._parts)

    @property
    def _parts(self) -> list[VectorIndex]:
        return [part for part in (self.index, self.tail) if part is not None]

    def with_tail(self, tail: VectorIndex | None, waiting: int) -> Searcher:
        """The same with what is not in the generation."""
        return replace(self, tail=tail, waiting=waiting)

    def only(self, embedding_ids: NDArray[np.int64]) -> Searcher:
        """One that knows only these of its vectors, compares all of them, and holds a copy in memory.

        Args:
            embedding_ids: `(n,)`, each once; those that are not here are left out.
        """
        vectors = self.vectors(embedding_ids)
        here = ~np.isnan(vectors).any(axis=1)
        index = build_index("Flat", self.dim, [(embedding_ids[here], vectors[here])])
        return replace(self, index=index, tail=None, waiting=0)

    def ascending_ids(self) -> NDArray[np.int64]:
        """`(n,)` int64: the generation's embedding ids, ascending."""
        return np.empty(0, np.int64) if self.index is None else np.sort(self.index.ids)

    def vectors(self, embedding_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """`(n, dim)` float32: vectors as the index holds them; NaN for an embedding that is not here."""
        found = np.full((len(embedding_ids), self.dim), np.nan, np.float32)
        for part in self._parts:
            places = part.places(embedding_ids)
            here = places >= 0
            if here.any():
                found[here] = part.vectors(places[here])
        return found

    def cosines(self, embedding_ids: NDArray[np.int64], queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """`(n, q)` float32: cosine of each embedding and each query; NaN for an embedding that is not here."""
        found = np.full((len(embedding_ids), len(queries)), np.nan, np.float32)
        for part in self._parts:
            places = part.places(embedding_ids)
            here = places >= 0
            if here.all():
                return part.cosines(places, queries)
            found[here] = part.cosines(places[here], queries)
        return found

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        where: NDArray[np.int64] | None = None,
        effort: Effort | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The `k` nearest embeddings of each query by cosine similarity, best first.

        Args:
            queries: `(n, dim)` float32, L2-normalised.
            k: at least 1.
            where: ascending ids that may be found; None for all.
            effort: another than the one that was calibrated when the generation was built.

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
        if self.size == 0 or len(queries) == 0:
            shape = (len(queries), k)
            return np.full(shape, -np.inf, np.float32), np.full(shape, -1, np.int64)
        found = [part.search(queries, k, where, effort) for part in self._parts]
        if len(found) == 1:
            return found[0]
        scores, ids = (np.concatenate(both, axis=1) for both in zip(*found, strict=True))
        # Stable, so that of equal scores the older vector comes first, as it would in one index.
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)

    def sample(self, limit: int) -> NDArray[np.float32]:
        """Vectors that stand for the whole generation.

        Returns:
            `(min(limit, size), dim)` float32, L2-normalised, spread evenly and always the same.
        """
        if self.tail is None:
            return np.empty((0, self.dim), np.float32) if self.index is None else self.index.sample(limit)
        if limit not in self._samples:
            self._samples[limit] = self._sample_of_both(self.tail, limit)
        return self._samples[limit]

    def _sample_of_both(self, tail: VectorIndex, limit: int) -> NDArray[np.float32]:
        # The places that one index of both would give, for the tail stands where the next publication puts it.
        places = sample_places(self.size, limit)
        published = 0 if self.index is None else self.index.size
        parts = [tail.vectors(places[places >= published] - published)]
        if self.index is not None:
            parts.insert(0, self.index.vectors(places[places < published]))
        return np.concatenate(parts)


Followed = tuple[int, Mapping[str, int]]
"""The length of a model's vectors, and the id of its active generation by kind."""


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
        self._loading: dict[tuple[int, str], threading.Lock] = {}
        self._loaded: dict[tuple[int, str], Searcher] = {}

    def current(self, model_id: int, kind: str) -> Searcher:
        """The active generation of this moment.

        Raises:
            NotFoundError: there is no such model.
            CorruptionError: the file is missing or not what was written.
        """
        with self._lock:
            loading = self._loading.setdefault((model_id, kind), threading.Lock())
        # Of two threads the second finds what the first has loaded; searches that have an older one do not come here.
        with loading:
            return self._load(model_id, kind)

    def _load(self, model_id: int, kind: str) -> Searcher:
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
            searcher = self._loaded.get((model_id, kind))
            if searcher is not None and searcher.generation_id == active.id:
                return searcher
            try:
                index = load_index(self._folder / active.file_name, active.sha256, read_effort(active.measured))
            except FileNotFoundError:
                # Two publications may have passed since the row was read: look which one is active now.
                missing = active.file_name
                continue
            searcher = Searcher(model.dim, index, active.id)
            self._loaded[model_id, kind] = searcher
            return searcher

    def of(
        self, session: Session, model_id: int, kinds: Sequence[str], known: Followed | None = None
    ) -> dict[str, Searcher]:
        """The active generations of several kinds, as one session sees them.

        Args:
            known: which they are, where the caller has looked; else they are looked up.

        Raises:
            NotFoundError: there is no such model.
            CorruptionError: a file is missing or not what was written.
        """
        dim, active = known or self._followed(session, model_id)
        found: dict[str, Searcher] = {}
        for kind in kinds:
            loaded = self._loaded.get((model_id, kind))
            if kind not in active:
                found[kind] = Searcher(dim, None)
            elif loaded is not None and (loaded.generation_id == active[kind] or self._is_loading(model_id, kind)):
                found[kind] = loaded  # Of this moment, or of the one before while another thread loads the newer one.
            else:
                found[kind] = self.current(model_id, kind)
        return found

    def _followed(self, session: Session, model_id: int) -> Followed:
        rows = session.execute(
            select(Generation.kind, Generation.id, Model.dim)
            .select_from(Model)
            .outerjoin(Generation, and_(Generation.model_id == Model.id, Generation.active))
            .where(Model.id == model_id)
        ).all()
        if not rows:
            raise NotFoundError(f"There is no model {model_id} in this library")
        return rows[0].dim, {row.kind: row.id for row in rows if row.kind is not None}

    def _is_loading(self, model_id: int, kind: str) -> bool:
        loading = self._loading.get((model_id, kind))
        return loading is not None and loading.locked()

    def clear(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._loaded.clear()
