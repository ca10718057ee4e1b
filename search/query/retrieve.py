"""Gather candidates from three sources: picture vectors, text vectors, and the words themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.fulltext import search_texts
from search.db.images import present_images
from search.db.schema import Caption, Embedding, Region, TextBody
from search.query.calibrate import Background, measure_background
from search.query.fuse import TextMatch, combine, word_coverage
from search.vectors.store import VectorStore

Found: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int64]]
"""Scores and embedding ids of a vector search, `(1, k)` each."""

_TEXTS = 200
"""Texts that may take part in one answer: far more distinct phrases than a page can show."""

_IMAGES_PER_TEXT_SEARCH = 5_000
"""Pictures that texts may bring in; a library of "person" boxes must not load a million rows."""

_SPARE = 64
"""Vector hits fetched beyond the page, for those whose file went missing since the generation was built."""

_SAMPLE = 1_000
"""Vectors that stand for the library when the background is measured: at most 4 MB."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture on its way to being a hit."""

    image_id: int
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The ranked candidates and what was learnt on the way.

    Attributes:
        texts: the texts that match, by id.
        background: the units of this query's scores; None where texts took no part.
        images_searched: vectors that took part.
        waiting: pictures that are committed and could not take part before the next publication.
    """

    ranked: Sequence[Candidate]
    texts: Mapping[int, TextMatch] = field(default_factory=dict)
    background: Background | None = None
    images_searched: int = 0
    waiting: int = 0


def retrieve(
    session: Session,
    vectors: VectorStore,
    model_id: int,
    query: NDArray[np.float32],
    *,
    words: Sequence[str] | None,
    limit: int,
    without: int | None = None,
) -> Candidates:
    """Find the best candidates.

    Args:
        query: `(1, dim)` float32, L2-normalised.
        words: words of the query, for the full-text source; None keeps captions and phrases out altogether.
        limit: candidates wanted.
        without: an image that must not appear.
    """
    searcher = vectors.everything(model_id, "image")
    if searcher.size == 0:
        return Candidates([], waiting=searcher.waiting)
    cosines = _nearest_images(session, _bounded(searcher.search(query, min(searcher.size, limit + _SPARE))))
    texts: dict[int, TextMatch] = {}
    background = None
    best: dict[int, TextMatch] = {}
    text_searcher = vectors.everything(model_id, "text") if words is not None else None
    if words is not None and text_searcher is not None and text_searcher.size:
        background = measure_background(query, searcher.sample(_SAMPLE), text_searcher.sample(_SAMPLE))
        found = _bounded(text_searcher.search(query, min(text_searcher.size, _TEXTS)))
        texts = _matching_texts(session, vectors, model_id, query, found, words)
        best = _best_text_by_image(session, [m for m in texts.values() if m.counts(background)])
        cosines |= _missing_cosines(session, vectors, model_id, query, set(best) - set(cosines))
    present = present_images(session, sorted(cosines))
    ranked = [
        Candidate(image_id, combine(cosine, best.get(image_id), background))
        for image_id, cosine in cosines.items()
        if image_id in present and image_id != without
    ]
    # Equal scores in the order of ids: the same query gives the same page, and the next page continues it.
    ranked.sort(key=lambda candidate: (-sum(candidate.parts.values()), candidate.image_id))
    return Candidates(ranked[:limit], texts, background, searcher.size, searcher.waiting)


def _bounded(found: Found) -> Found:
    """Scores in [-1, 1]: stored vectors are of unit length only as far as 16 bits carry."""
    scores, ids = found
    return np.where(ids < 0, scores, np.clip(scores, -1.0, 1.0)), ids


def _nearest_images(session: Session, found: Found) -> dict[int, float]:
    scores, ids = found
    by_embedding = dict(zip(ids[0].tolist(), scores[0].tolist(), strict=True))
    by_embedding.pop(-1, None)
    cosines: dict[int, float] = {}
    for some in chunks(list(by_embedding)):
        for embedding_id, image_id in session.execute(
            select(Embedding.id, Embedding.image_id).where(Embedding.id.in_(some))
        ):
            if image_id is not None:
                cosines[image_id] = by_embedding[embedding_id]
    return cosines


def _matching_texts(
    session: Session,
    vectors: VectorStore,
    model_id: int,
    query: NDArray[np.float32],
    found: Found,
    words: Sequence[str],
) -> dict[int, TextMatch]:
    scores, ids = found
    by_embedding = {i: s for i, s in zip(ids[0].tolist(), scores[0].tolist(), strict=True) if i != -1}
    worded = [text_id for text_id, _ in search_texts(session, " ".join(words), _TEXTS)] if words else []
    matches: dict[int, TextMatch] = {}
    rows: list[tuple[int, int, str]] = []
    for some in chunks(list(by_embedding)):
        rows += _embedded_texts(session, model_id, Embedding.id.in_(some))
    known = {text_id for _, text_id, _ in rows}
    for some in chunks([text_id for text_id in worded if text_id not in known]):
        rows += _embedded_texts(session, model_id, Embedding.text_id.in_(some))
    unscored = [embedding_id for embedding_id, _, _ in rows if embedding_id not in by_embedding]
    if unscored:
        cosines = np.clip(vectors.fetch(unscored) @ query[0], -1.0, 1.0)
        by_embedding.update(zip(unscored, cosines.tolist(), strict=True))
    for embedding_id, text_id, body in rows:
        matches[text_id] = TextMatch(text_id, body, by_embedding[embedding_id], word_coverage(words, body))
    return matches


def _embedded_texts(session: Session, model_id: int, condition: ColumnElement[bool]) -> list[tuple[int, int, str]]:
    query = (
        select(Embedding.id, TextBody.id, TextBody.body)
        .join(TextBody, TextBody.id == Embedding.text_id)
        .where(Embedding.model_id == model_id, condition)
    )
    return [(embedding_id, text_id, body) for embedding_id, text_id, body in session.execute(query)]


def _best_text_by_image(session: Session, matches: Sequence[TextMatch]) -> dict[int, TextMatch]:
    by_id = {match.text_id: match for match in matches}
    best: dict[int, TextMatch] = {}
    for table in (Caption, Region):
        for some in chunks(sorted(by_id)):
            query = (
                select(table.image_id, table.text_id)
                .where(table.text_id.in_(some))
                .distinct()
                .limit(_IMAGES_PER_TEXT_SEARCH)
            )
            for image_id, text_id in session.execute(query):
                match = by_id[text_id]
                if image_id not in best or match.strength > best[image_id].strength:
                    best[image_id] = match
    return best


def _missing_cosines(
    session: Session, vectors: VectorStore, model_id: int, query: NDArray[np.float32], image_ids: Iterable[int]
) -> dict[int, float]:
    owners: dict[int, int] = defaultdict(int)
    for some in chunks(sorted(image_ids)):
        for embedding_id, image_id in session.execute(
            select(Embedding.id, Embedding.image_id).where(Embedding.model_id == model_id, Embedding.image_id.in_(some))
        ):
            owners[embedding_id] = image_id or 0
    if not owners:
        return {}
    cosines = np.clip(vectors.fetch(list(owners)) @ query[0], -1.0, 1.0)
    return {image_id: float(cosine) for image_id, cosine in zip(owners.values(), cosines, strict=True)}
