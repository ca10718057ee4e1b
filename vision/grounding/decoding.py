"""Writing token by token: greedy or sampled, one look at each picture, every row as if it were alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from vision.grounding.roles import Grammar, GrammarState, RowReader, RowsInReading

_Rows = TypeVar("_Rows", bound=RowsInReading)


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to be written.

    Attributes:
        picture: row of the latents that it is about.
        prompt: ids behind the picture's prefix, at least one.
        tokens: length of the answer at most.
        stops: ids that end it; the last token written is one of them, unless it was cut.
        start: where the grammar begins; None writes freely.
        seed: of its own random numbers; None is greedy.
    """

    picture: int
    prompt: tuple[int, ...]
    tokens: int
    stops: frozenset[int]
    start: GrammarState | None = None
    seed: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """Nucleus sampling: the fewest tokens that together have probability `top_p`, at this temperature."""

    temperature: float = 1.0
    top_p: float = 1.0


@dataclass(frozen=True, slots=True)
class Written:
    """One answer.

    Attributes:
        tokens: ids, the one that stopped it included.
        log_probabilities: of each, as the model sees it: before constraints, temperature and nucleus.
        complete: a stop ended it, not the limit.
    """

    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    complete: bool


class _Draft:
    """A row on its way: what is written, where the grammar stands, its random numbers."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.state = row.start
        self.random = None if row.seed is None else np.random.default_rng(row.seed)
        self.tokens: list[int] = []
        self.log_probabilities: list[float] = []

    @property
    def stopped(self) -> bool:
        return bool(self.tokens) and self.tokens[-1] in self.row.stops

    @property
    def done(self) -> bool:
        return self.stopped or len(self.tokens) >= self.row.tokens

    def written(self) -> Written:
        return Written(tuple(self.tokens), tuple(self.log_probabilities), self.stopped)


def write(
    reader: RowReader[_Rows], latents: Tensor, rows: Sequence[Row], *, grammar: Grammar | None, sampling: Sampling
) -> list[Written]:
    """Write every row.

    Rows that share picture and prompt share their reading; rows that are done leave the batch. What a row says does
    not depend on its neighbours, beyond the rounding of a batched matrix product.

    Args:
        reader: the model.
        latents: `(pictures, image_tokens, width)`.
        rows: what to write.
        grammar: for rows with a `start`.
        sampling: for rows with a `seed`.
    """
    if not rows:
        return []
    context = _read_shared(reader, latents, rows)
    drafts = [_Draft(row) for row in rows]
    live = list(drafts)
    while True:
        chosen = _choose(context.logits, live, grammar, sampling)
        _append(live, chosen, context.logits, grammar)
        kept = [index for index, draft in enumerate(live) if not draft.done]
        if not kept:
            return [draft.written() for draft in drafts]
        if len(kept) < len(live) and len(kept) <= reader.leaving_share * len(live):
            at = torch.tensor(kept, device=reader.device)
            context, chosen, live = context.select(at), chosen[at], [live[index] for index in kept]
        reader.step(context, chosen)


def _read_shared(reader: RowReader[_Rows], latents: Tensor, rows: Sequence[Row]) -> _Rows:
    """Read each pair of picture and prompt once, then repeat it for its rows."""
    distinct: dict[tuple[int, tuple[int, ...]], int] = {}
    where = [distinct.setdefault((row.picture, row.prompt), len(distinct)) for row in rows]
    pictures, prompts = zip(*distinct, strict=True)
    context = reader.read(latents, pictures, prompts, room=max(row.tokens for row in rows))
    if len(distinct) == len(rows):
        return context
    return context.select(torch.tensor(where, device=reader.device))


def _append(live: Sequence[_Draft], chosen: Tensor, logits: Tensor, grammar: Grammar | None) -> None:
    known = log_probability_of(logits, chosen).tolist()
    for draft, token, log_probability in zip(live, chosen.tolist(), known, strict=True):
        if draft.done:  # it reads on until its row leaves
            continue
        draft.tokens.append(token)
        draft.log_probabilities.append(log_probability)
        if draft.state is not None and grammar is not None:
            draft.state = grammar.advance(draft.state, token)


def log_probability_of(logits: Tensor, tokens: Tensor) -> Tensor:
    """`(n,)` float32: the logarithm of softmax(`logits` `(n, vocabulary)`) at `tokens` `(n,)`."""
    return logits.gather(1, tokens[:, None]).squeeze(1) - logits.logsumexp(1)


def _choose(logits: Tensor, live: Sequence[_Draft], grammar: Grammar | None, sampling: Sampling) -> Tensor:
    allowed = restrict(logits, [None if draft.done else draft.state for draft in live], grammar)
    chosen = allowed.argmax(1)
    drawn = [
        (index, draft.random.random())
        for index, draft in enumerate(live)
        if draft.random is not None and not draft.done
    ]
    if drawn:
        at = torch.tensor([index for index, _ in drawn], device=logits.device)
        numbers = torch.tensor([number for _, number in drawn], dtype=torch.float64, device=logits.device)
        chosen[at] = draw_from_nucleus(allowed[at], numbers, sampling)
    return chosen


def restrict(logits: Tensor, states: Sequence[GrammarState | None], grammar: Grammar | None) -> Tensor:
    """Logits with -inf where a row's grammar forbids the token; rows without a state stay as they are."""
    ruled = [(index, state) for index, state in enumerate(states) if state is not None]
    if grammar is None or not ruled:
        return logits
    at = torch.tensor([index for index, _ in ruled], device=logits.device)
    allowed = grammar.allowed([state for _, state in ruled])
    masked = logits.clone()
    masked[at] = logits[at].masked_fill(~allowed, -torch.inf)
    return masked


def draw_from_nucleus(logits: Tensor, numbers: Tensor, sampling: Sampling) -> Tensor:
    """Turn one uniform number per row into a token.

    Tokens are ordered from the most probable; those whose predecessors already sum to `top_p` are left out; the number
    points into what remains.

    Args:
        logits: `(n, vocabulary)`, -inf where forbidden.
        numbers: `(n,)` float64 in [0, 1).
        sampling: temperature and nucleus.

    Returns:
        `(n,)` int64.
    """
    chances, order = torch.softmax(logits.double() / sampling.temperature, dim=1).sort(
        dim=1, descending=True, stable=True
    )
    before = chances.cumsum(1) - chances
    kept = chances.masked_fill(before >= sampling.top_p, 0.0)
    reach = kept.cumsum(1)
    # Rounding may push the number past the last token that is kept.
    last = (kept > 0).sum(1, keepdim=True) - 1
    place = torch.searchsorted(reach, numbers[:, None] * reach[:, -1:], right=True).minimum(last)
    return order.gather(1, place).squeeze(1)
