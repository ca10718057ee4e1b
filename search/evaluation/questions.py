"""What a library answers to queries whose right answers are known: ranks, lines drawn, boxes shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from search.evaluation.ranking import (
    NOT_FOUND,
    Figure,
    auc,
    first_right,
    hit_at_1,
    mean_reciprocal_rank,
    recall_at,
    share,
)
from search.results import Hit, SearchRequest
from search.service import SearchService
from vision.geometry import iou
from vision.types import Box

IOU_RIGHT = 0.5
"""Least overlap with a thing's box at which a box counts as showing it."""

_DEPTH = 100
_PAGE = 20

Things: TypeAlias = tuple[tuple[Box, ...], ...]
"""For each thing that a query names, the boxes that would show it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query and what answers it.

    Attributes:
        kind: what figures are grouped by.
        text: as it is typed.
        right: ids of all pictures that answer it; empty where none does.
        things: for each right picture, where the things are that the query names; empty where that is not known.
    """

    kind: str
    text: str
    right: frozenset[int]
    things: Mapping[int, Things] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """How a question came out.

    Attributes:
        rank: of the first right picture; `NOT_FOUND` beyond the hundredth.
        certainty: the best hit's likelihood, or its score where the library does not say likelihoods; 0 without hits.
        likely: hits before the line under what is likely relevant; None where no line is drawn.
        wrong: wrong hits among the first 20 that stand before the line, and `wrong_boxed` how many of them have a box.
        boxes_all: whether the first hit, being right, has a box on every thing that is named; None where unknown.
    """

    question: Question
    rank: float
    certainty: float
    likely: int | None
    wrong: int
    wrong_boxed: int
    boxes_all: bool | None


@dataclass(frozen=True, slots=True)
class KindFigures:
    """Figures of the questions of one kind that have an answer."""

    hit_at_1: Figure
    recall_at_5: Figure
    mean_reciprocal_rank: Figure


@dataclass(frozen=True, slots=True)
class LineFigures:
    """How well the line separates what the library holds from what it does not.

    Attributes:
        auc: by kind of question without an answer: certainty of answerable questions against theirs.
        said_absent: by the same kinds: per cent of questions to which nothing is called likely.
        lost: per cent of answerable questions to which nothing is called likely, though something is there.
        wrong_boxed: per cent of the wrong hits on the first page that show a box.
    """

    auc: Mapping[str, Figure]
    said_absent: Mapping[str, Figure]
    lost: Figure
    wrong_boxed: Figure


def ask(service: SearchService, questions: Iterable[Question], *, annotations: bool = True) -> list[Answered]:
    """Ask a library every question.

    Args:
        annotations: let captions, phrases, names and boxes take part; off, the bare cosine ranks.
    """
    return [_ask(service, question, annotations) for question in questions]


def by_kind(answers: Sequence[Answered]) -> dict[str, KindFigures]:
    """Figures of each kind of question that has answers, in the order in which kinds first occur."""
    grouped: dict[str, list[float]] = {}
    for one in answers:
        if one.question.right:
            grouped.setdefault(one.question.kind, []).append(one.rank)
    return {
        kind: KindFigures(hit_at_1(ranks), recall_at(ranks, 5), mean_reciprocal_rank(ranks))
        for kind, ranks in grouped.items()
    }


def line_figures(answers: Sequence[Answered]) -> LineFigures:
    """How the answerable questions compare with each kind of those that have no answer."""
    there = [one for one in answers if one.question.right]
    absent: dict[str, list[Answered]] = {}
    for one in answers:
        if not one.question.right:
            absent.setdefault(one.question.kind, []).append(one)
    certain = [one.certainty for one in there]
    boxed = [number < one.wrong_boxed for one in answers for number in range(one.wrong)]
    return LineFigures(
        auc={kind: auc(certain, [one.certainty for one in some]) for kind, some in absent.items()},
        said_absent={kind: _without_likely(some) for kind, some in absent.items()},
        lost=_without_likely(there),
        wrong_boxed=share(boxed),
    )


def boxes_all(answers: Sequence[Answered]) -> Figure:
    """Per cent of right first hits that show a box on every thing which the query names."""
    return share([one.boxes_all for one in answers if one.boxes_all is not None])


def right_one_first(
    service: SearchService, pairs: Iterable[tuple[str, int, int]], *, annotations: bool = True
) -> Figure:
    """Per cent of pairs in which a text ranks its own picture before the picture that shows its opposite.

    Args:
        pairs: text, id of the picture of which it is true, id of the one of which it is false.
        annotations: as for `ask`.
    """
    outcome = []
    for text, right, wrong in pairs:
        request = SearchRequest(text=text, k=1000, annotations=annotations)
        found = [hit.image_id for hit in service.search(request).hits]
        outcome.append(first_right(found, {right}) < first_right(found, {wrong}))
    return share(outcome)


def _ask(service: SearchService, question: Question, annotations: bool) -> Answered:
    result = service.search(SearchRequest(text=question.text, k=_DEPTH, annotations=annotations))
    likely = result.likely
    page = result.hits[: _PAGE if likely is None else min(_PAGE, likely)]
    wrong = [hit for hit in page if hit.image_id not in question.right]
    return Answered(
        question=question,
        rank=first_right([hit.image_id for hit in result.hits], question.right) if question.right else NOT_FOUND,
        certainty=_certainty(result.hits[0]) if result.hits else 0.0,
        likely=likely,
        wrong=len(wrong),
        wrong_boxed=sum(bool(hit.regions) for hit in wrong),
        boxes_all=_boxes_all(result.hits[0], question) if result.hits else None,
    )


def _certainty(hit: Hit) -> float:
    return hit.score if hit.likelihood is None else hit.likelihood


def shows_all(boxes: Sequence[Box], things: Things) -> bool:
    """Whether every thing that is named has one of the boxes on it, at an IoU of 0.5 or more."""
    return all(any(iou(box, there) >= IOU_RIGHT for box in boxes for there in thing) for thing in things)


def _boxes_all(hit: Hit, question: Question) -> bool | None:
    things = question.things.get(hit.image_id)
    return shows_all([region.box for region in hit.regions], things) if things else None


def _without_likely(answers: Sequence[Answered]) -> Figure:
    return share([one.likely == 0 for one in answers if one.likely is not None])
