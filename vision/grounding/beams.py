"""Beam search: several answers followed at once, the best by length-normalised log-probability kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from vision.grounding.decoding import Row, Written, restrict
from vision.grounding.roles import Grammar, GrammarState, RowReader, RowsInReading

_Rows = TypeVar("_Rows", bound=RowsInReading)


@dataclass(frozen=True, slots=True)
class BeamPlan:
    """How to search.

    Attributes:
        beams: answers followed at once.
        length_penalty: exponent of the length that divides a finished beam's log-probability.
    """

    beams: int
    length_penalty: float = 1.0


@dataclass(frozen=True, slots=True)
class _Beam:
    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    total: float
    state: GrammarState | None
    context_row: int


@dataclass
class _Search:
    """One row's search."""

    row: Row
    running: list[_Beam]
    finished: list[tuple[float, _Beam]] = field(default_factory=list)
    over: bool = False


def write_with_beams(
    reader: RowReader[_Rows], latents: Tensor, rows: Sequence[Row], *, grammar: Grammar | None, plan: BeamPlan
) -> list[Written]:
    """Write the best answer of every row.

    The bookkeeping is that of transformers 5.23 with `early_stopping=False`, row by row, so that a row's search ends
    when its own running beams cannot win any more: a finished beam counts only from among the first `beams`
    candidates, and a running one is judged at its present length.

    Args:
        reader: the model.
        latents: `(pictures, image_tokens, width)`.
        rows: what to write; their seeds are not used.
        grammar: for rows with a `start`.
        plan: how to search.
    """
    if not rows:
        return []
    pictures, prompts = [row.picture for row in rows], [row.prompt for row in rows]
    context = reader.read(latents, pictures, prompts, room=max(row.tokens for row in rows))
    searches = [_Search(row, [_Beam((), (), 0.0, row.start, index)]) for index, row in enumerate(rows)]
    while True:
        live = [search for search in searches if not search.over]
        _extend(live, context.logits, grammar, plan)
        live = [search for search in live if not search.over]
        if not live:
            return [_best(search) for search in searches]
        beams = [beam for search in live for beam in search.running]
        context = context.select(torch.tensor([beam.context_row for beam in beams], device=reader.device))
        reader.step(context, torch.tensor([beam.tokens[-1] for beam in beams], device=reader.device))
        _renumber(live)


def _extend(live: Sequence[_Search], logits: Tensor, grammar: Grammar | None, plan: BeamPlan) -> None:
    known = logits.log_softmax(1)
    beams = [beam for search in live for beam in search.running]
    rows = torch.tensor([beam.context_row for beam in beams], device=logits.device)
    known = known[rows]
    allowed = restrict(known, [beam.state for beam in beams], grammar)
    totals = allowed + torch.tensor([beam.total for beam in beams], device=logits.device)[:, None]
    first = 0
    for search in live:
        part = slice(first, first + len(search.running))
        first = part.stop
        wanted = (1 + len(search.row.stops)) * plan.beams
        best, places = totals[part].flatten().topk(min(wanted, totals[part].numel()))
        candidates = []
        for total, place in zip(best.tolist(), places.tolist(), strict=True):
            if total == -torch.inf:
                break
            parent, token = divmod(place, logits.shape[1])
            candidates.append(_child(search.running[parent], token, total, known[part][parent], grammar))
        _sort_out(search, candidates, plan)


def _child(parent: _Beam, token: int, total: float, known: Tensor, grammar: Grammar | None) -> _Beam:
    state = parent.state
    if state is not None and grammar is not None:
        state = grammar.advance(state, token)
    tokens, chances = (*parent.tokens, token), (*parent.log_probabilities, float(known[token]))
    return _Beam(tokens, chances, total, state, parent.context_row)


def _sort_out(search: _Search, candidates: Sequence[_Beam], plan: BeamPlan) -> None:
    """Move what ended to the finished beams, keep the best of the rest running, and see whether it can still win."""

    def ended(beam: _Beam) -> bool:
        return beam.tokens[-1] in search.row.stops or len(beam.tokens) >= search.row.tokens

    for beam in candidates[: plan.beams]:
        if ended(beam):
            search.finished.append((beam.total / len(beam.tokens) ** plan.length_penalty, beam))
    search.finished.sort(key=lambda scored: -scored[0])
    del search.finished[plan.beams :]
    search.running = [beam for beam in candidates if not ended(beam)][: plan.beams]
    if not search.running:
        search.over = True
    elif len(search.finished) == plan.beams:
        hoped = search.running[0].total / len(search.running[0].tokens) ** plan.length_penalty
        search.over = hoped <= search.finished[-1][0]


def _renumber(live: Sequence[_Search]) -> None:
    """Say where each running beam now stands in the context, which holds exactly these, in order."""
    at = 0
    for search in live:
        numbered = []
        for beam in search.running:
            numbered.append(_Beam(beam.tokens, beam.log_probabilities, beam.total, beam.state, at))
            at += 1
        search.running = numbered


def _best(search: _Search) -> Written:
    beam = search.finished[0][1]
    return Written(beam.tokens, beam.log_probabilities, beam.tokens[-1] in search.row.stops)
