"""Retrieval as the search answers it: captions ask for their pictures, and what is asked is no evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.db.chunks import chunks
from search.db.schema import TextBody
from search.encoder import nothing_indexed
from search.errors import QueryError
from search.evaluation.ranking import NOT_FOUND, Figure, first_right, mean_by
from search.evaluation.retrieval import CUTOFFS
from search.library import Library
from search.query.tree import Words
from search.query.unsaid import without_pictures, without_text
from search.results import SearchRequest
from search.service import SearchService
from search.snapshot import Snapshot, take_snapshot
from vision.encoders.base import Encoder

HALVES = 3
"""Random halves of the pictures whose captions are taken away in turn."""

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Asking:
    """A caption that asks for the picture that it was written about."""

    text: str
    image_id: int


@dataclass(frozen=True, slots=True)
class FusionFigures:
    """What the search finds among the first 1, 5, 10, and what the look alone does; bootstrap over pictures.

    Attributes:
        fused: per cent of captions whose picture is among them.
        alone: the same by the cosine of caption and picture; ties count in the caption's favour.
        gain: the first less the second, in points, of the same resamples of pictures.
        pictures: of the library, all of which are ranked.
    """

    fused: dict[int, Figure]
    alone: dict[int, Figure]
    gain: dict[int, Figure]
    pictures: int


@dataclass(slots=True)
class Measured:
    """Both protocols.

    Attributes:
        captioned: every picture keeps its captions but the one that asks.
        uncaptioned: nothing is written about the pictures that are asked for: random halves of those with captions.
        held: captions that the library holds, so that they had to be left out.
        refused: captions that the search refuses, each with its reason.
    """

    captioned: FusionFigures
    uncaptioned: FusionFigures
    held: int
    refused: list[str] = field(default_factory=list)


def measure_fusion(
    library: Library,
    encoder: Encoder,
    asked: Sequence[Asking],
    *,
    halves: int = HALVES,
    report: Callable[[str], None] = lambda _: None,
) -> Measured:
    """Ask every caption, once with all others in the library and, in each half that its picture falls into, without.

    Args:
        encoder: the library's own.
        asked: at least one.
        halves: random halves, always the same.
        report: receives how far it is.

    Raises:
        LibraryEmptyError: nothing has been indexed yet.
    """
    with library.read() as session:
        snapshot = _snapshot(library, session)
        held = _text_ids(session, [one.text for one in asked])
        alone = _ranks_by_look(snapshot, encoder, asked)
    refused: dict[str, str] = {}
    fused = _ranks_with_captions(library, encoder, asked, held, refused)
    pictures = np.array([one.image_id for one in asked], np.int64)
    some: list[int] = []
    silent: list[float] = []
    for number in range(halves):
        report(f"{len(fused)} captions asked; half {number + 1} of {halves} without captions")
        half = _half(pictures, number)
        chosen = np.flatnonzero(np.isin(pictures, half)).tolist()
        some += chosen
        silent += _ranks_of_silent(library, encoder, [asked[one] for one in chosen], half.tolist(), refused)
    size = len(snapshot.catalogue.images)
    return Measured(
        captioned=_figures(np.array(fused), alone, pictures, size),
        uncaptioned=_figures(np.array(silent), alone[some], pictures[some], size),
        held=sum(one.text in held for one in asked),
        refused=[f"{text[:60]!r}: {reason}" for text, reason in refused.items()],
    )


def _snapshot(library: Library, session: Session) -> Snapshot:
    snapshot = take_snapshot(library, session)
    if snapshot is None:
        raise nothing_indexed()
    return snapshot


def _half(pictures: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    different = np.unique(pictures)
    order = np.random.default_rng(number).permutation(len(different))
    return np.sort(different[order[: (len(different) + 1) // 2]])


def _ranks_with_captions(
    library: Library, encoder: Encoder, asked: Sequence[Asking], held: dict[str, int], refused: dict[str, str]
) -> list[float]:
    ranks = []
    for one in asked:
        text_id = held.get(one.text)

        def view(session: Session, snapshot: Snapshot, text_id: int | None = text_id) -> Snapshot:
            return snapshot if text_id is None else without_text(session, snapshot, text_id)

        ranks.append(_rank(SearchService(library, encoder, view=view), one, refused))
    return ranks


def _ranks_of_silent(
    library: Library, encoder: Encoder, asked: Iterable[Asking], image_ids: list[int], refused: dict[str, str]
) -> list[float]:
    with library.read() as session:
        silent = without_pictures(session, _snapshot(library, session), image_ids)
        session.expunge(silent.model)
    service = SearchService(library, encoder, view=lambda _session, _snapshot: silent)
    return [_rank(service, one, refused) for one in asked]


def _rank(service: SearchService, one: Asking, refused: dict[str, str]) -> float:
    # As a tree, because a caption is words: a minus or a colon in it is no operator.
    try:
        result = service.search(SearchRequest(tree=Words(one.text), k=max(CUTOFFS)))
    except QueryError as error:
        refused[one.text] = str(error)
        return float("nan")
    return first_right([hit.image_id for hit in result.hits], {one.image_id})


def _ranks_by_look(snapshot: Snapshot, encoder: Encoder, asked: Sequence[Asking]) -> NDArray[np.float64]:
    catalogue = snapshot.catalogue
    images = np.nan_to_num(snapshot.images.vectors(catalogue.image_vectors), nan=0.0)
    owners = catalogue.rows_of_images(np.array([one.image_id for one in asked], np.int64))
    ranks = np.full(len(asked), NOT_FOUND)
    for first in range(0, len(asked), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        scores = encoder.encode_text([one.text for one in asked[part]]) @ images.T
        own = scores[np.arange(len(scores)), owners[part]]
        ranks[part] = 1 + (scores > own[:, None]).sum(axis=1)
    return np.where(owners >= 0, ranks, NOT_FOUND)


def _figures(
    fused: NDArray[np.float64], alone: NDArray[np.float64], pictures: NDArray[np.int64], size: int
) -> FusionFigures:
    known = ~np.isnan(fused)
    fused, alone, pictures = fused[known], alone[known], pictures[known]
    found = {k: ((fused <= k).astype(np.float64), (alone <= k).astype(np.float64)) for k in CUTOFFS}
    return FusionFigures(
        fused={k: mean_by(ours, pictures) for k, (ours, _) in found.items()},
        alone={k: mean_by(theirs, pictures) for k, (_, theirs) in found.items()},
        gain={k: mean_by(ours - theirs, pictures) for k, (ours, theirs) in found.items()},
        pictures=size,
    )


def _text_ids(session: Session, bodies: Iterable[str]) -> dict[str, int]:
    """Ids of those texts that the library holds."""
    body_of = {hashlib.sha256(body.encode()).hexdigest(): body for body in bodies}
    found: dict[str, int] = {}
    for some in chunks(sorted(body_of)):
        rows = session.execute(select(TextBody.sha256, TextBody.id).where(TextBody.sha256.in_(some)))
        found |= {body_of[sha256]: text_id for sha256, text_id in rows}
    return found
