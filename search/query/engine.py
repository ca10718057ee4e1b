"""From a request to hits: parse → plan → sources → compose → calibrate → fuse → explain, on one snapshot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.images import image_dates
from search.db.schema import Region
from search.errors import NotFoundError
from search.query.answer import Stages, answer
from search.query.asked import Ask, ask
from search.query.branches import Branch, branches
from search.query.exact import holding_rows
from search.query.filters import fulfilling
from search.query.found import Branched, Given
from search.query.tree import And, Like, Node
from search.query.writing import misread
from search.results import SearchRequest
from search.snapshot import Snapshot
from search.words.terms import terms
from vision.encoders.base import Encoder, ReadingEncoder

SORTED_MOST = 5_000
"""Hits that are put in the order of their dates: the most relevant ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """A request, planned: what has to be embedded is known, nothing has been looked up.

    Attributes:
        asks: the branches of the query; a picture fulfils it by any of them.
        sort: `relevance`, `date` or `-date`.
    """

    asks: tuple[Ask, ...]
    sort: str

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything that is embedded, each once."""
        return tuple(dict.fromkeys(text for one in self.asks for text in one.texts))

    @property
    def regions(self) -> tuple[int, ...]:
        """Ids of the regions that the hits should look like."""
        likes = [like for one in self.asks for like in one.branch.likes]
        return tuple(dict.fromkeys(like.id for like in likes if like.of == "region"))


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """What a request needed of the encoder.

    Attributes:
        texts: `(dim,)` float32 each, by text.
        pictures: `(n, dim)` float32, of the pictures that came with the request.
        regions: `(dim,)` float32 each, of what regions show that the query names, by id.
        unread: words of the query that the encoder cannot read.
    """

    texts: Mapping[str, NDArray[np.float32]]
    pictures: NDArray[np.float32]
    regions: Mapping[int, NDArray[np.float32]]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """The ranking of a whole query.

    Attributes:
        rows: `(n,)` int64 rows of the catalogue, best first.
        scores: `(n,)` float32.
        likelihood: `(n,)` float32 in [0, 1]; None where scores are bare cosines.
        branch: `(n,)` int64, by which branch each was found best.
        place: `(n,)` int64, where it stands in that branch.
        likely: how many lie before the line; None where nobody can tell.
        branches: what each found.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float32]
    likelihood: NDArray[np.float32] | None
    branch: NDArray[np.int64]
    place: NDArray[np.int64]
    likely: int | None
    branches: tuple[Branched, ...]

    def parts(self, at: int) -> dict[str, float]:
        """What the score of one of the rows is made of."""
        found = self.branches[self.branch[at]]
        values = {name: float(part[self.place[at]]) for name, part in found.ranked.parts.items()}
        if found.given.bare and len(values) == 1:
            return values
        return {name: value for name, value in values.items() if value}


def plan(root: Node | None, sort: str, request: SearchRequest) -> Wanted:
    """Take the query apart; pictures that come with it belong to every branch.

    Raises:
        QueryError: the query has too many alternatives.
    """
    likes: list[Node] = [Like("picture", number) for number in range(len(request.pictures))]
    likes += [Like("image", request.like_image_id)] if request.like_image_id is not None else []
    likes += [Like("region", request.like_region_id)] if request.like_region_id is not None else []
    nodes = ([root] if root is not None else []) + likes
    planned: tuple[Branch, ...] = branches(nodes[0] if len(nodes) == 1 else And(tuple(nodes)))
    return Wanted(tuple(ask(one) for one in planned), sort)


def unread_words(encoder: Encoder | None, wanted: Wanted) -> tuple[str, ...]:
    """Words of the query that mean nothing to the encoder, as far as it can tell."""
    words = [term.word for one in wanted.asks for text in one.texts for term in terms(text)]
    if not words or not isinstance(encoder, ReadingEncoder):
        return ()
    return tuple(word for word in dict.fromkeys(words) if not encoder.can_read(word))


def give(session: Session, snapshot: Snapshot, wanted: Wanted, embedded: Embedded, *, plain: bool) -> tuple[Given, ...]:
    """Turn branches into vectors and rows: look up what they are like, and what their filters leave.

    Args:
        embedded: what had to be embedded for them.
        plain: look alone shall count.

    Raises:
        NotFoundError: a picture or a region that the query names is not of this library.
        QueryError: a filter's value cannot be read.
    """
    dim = snapshot.model.dim
    given: list[Given] = []
    for one in wanted.asks:
        likes = [_like(session, snapshot, like, embedded) for like in one.branch.likes]
        texts = [embedded.texts[text] for text in one.texts]
        given.append(
            Given(
                ask=one,
                vectors=np.stack(texts) if texts else np.empty((0, dim), np.float32),
                likes=np.stack([like[0] for like in likes]) if likes else np.empty((0, dim), np.float32),
                weights=np.array([like.weight for like in one.branch.likes], np.float32),
                among=_among(session, snapshot, one.branch),
                without=tuple(row for _, row in likes if row >= 0),
                plain=plain,
                unread=frozenset(embedded.unread),
                misread=misread(session, snapshot.catalogue, one.branch.filters),
            )
        )
    return tuple(given)


def order(
    session: Session, snapshot: Snapshot, given: Sequence[Given], wanted: int, sort: str, stages: Stages
) -> Ordered:
    """Rank the pictures by the best of their branches, those that are likely relevant first."""
    found = tuple(answer(session, snapshot, one, wanted, stages) for one in given)
    rows = np.concatenate([one.ranked.rows for one in found])
    scores = np.concatenate([one.ranked.total for one in found])
    odds = np.concatenate([one.ranked.relevance for one in found])
    sizes = [len(one.ranked.rows) for one in found]
    branch = np.repeat(np.arange(len(found)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    bare = any(one.bare for one in given)
    likely = np.ones(len(rows), bool) if bare else odds >= snapshot.relevance.line
    best = np.lexsort((branch, rows, -scores, ~likely))
    if len(found) > 1:
        _, first = np.unique(rows[best], return_index=True)  # each picture by its best branch
        best = best[np.sort(first)]
    if sort != "relevance":
        best = _by_date(session, snapshot, rows, best, likely, newest_first=sort == "date")
    return Ordered(
        rows=rows[best],
        scores=scores[best],
        likelihood=None if bare else snapshot.relevance.likelihood(odds[best]),
        branch=branch[best],
        place=place[best],
        likely=None if bare else int(likely[best].sum()),
        branches=found,
    )


def _by_date(
    session: Session,
    snapshot: Snapshot,
    rows: NDArray[np.int64],
    best: NDArray[np.int64],
    likely: NDArray[np.bool_],
    *,
    newest_first: bool,
) -> NDArray[np.int64]:
    """The likely ones by the photographer's clock, those without a date behind them; then the rest as it was."""
    chosen = best[likely[best]][:SORTED_MOST]
    ids = snapshot.catalogue.images[rows[chosen]]
    dates = image_dates(session, ids.tolist())
    undated = np.array([image_id not in dates for image_id in ids.tolist()], bool)
    moments = np.array([dates.get(image_id, 0.0) for image_id in ids.tolist()])
    moved = chosen[np.lexsort((ids, -moments if newest_first else moments, undated))]
    return np.concatenate([moved, best[~np.isin(best, moved)]])


def _among(session: Session, snapshot: Snapshot, branch: Branch) -> NDArray[np.int64] | None:
    """Rows that fulfil the filters and hold the exact words; None for all."""
    allowed = fulfilling(session, snapshot.catalogue, branch.filters)
    for text in branch.exact:
        rows = holding_rows(session, snapshot.catalogue, text)
        allowed = rows if allowed is None else np.intersect1d(allowed, rows, assume_unique=True)
    for text in branch.excluded_exact:
        rows = holding_rows(session, snapshot.catalogue, text)
        everything = np.arange(len(snapshot.catalogue.images)) if allowed is None else allowed
        allowed = np.setdiff1d(everything, rows, assume_unique=True)
    return allowed


def _like(
    session: Session,
    snapshot: Snapshot,
    like: Like,
    embedded: Embedded,
) -> tuple[NDArray[np.float32], int]:
    """The vector of what the hits should look like, and the row of the catalogue that it comes from, or -1."""
    if like.of == "picture":
        if not 0 <= like.id < len(embedded.pictures):
            raise NotFoundError(f"no picture {like.id} came with the request")
        return embedded.pictures[like.id], -1
    image_id = like.id if like.of == "image" else session.scalar(select(Region.image_id).where(Region.id == like.id))
    row = -1 if image_id is None else int(snapshot.catalogue.rows_of_images(np.array([image_id]))[0])
    if row < 0:
        what = "picture" if like.of == "image" else "region"
        raise NotFoundError(f"there is no {what} {like.id} in this library")
    if like.of == "image":
        return snapshot.images.vectors(snapshot.catalogue.image_vectors[[row]])[0], row
    return embedded.regions[like.id], row
