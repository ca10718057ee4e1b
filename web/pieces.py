"""The pieces of a query that boxes answer: numbered, so that a word, a box and a label of one piece look alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from search.results import Hit
from web.layout import COLOURS, PIECES


@dataclass(frozen=True, slots=True)
class QueryPiece:
    """What some boxes of an answer say that they answer; `number` counts from 1."""

    number: int
    colour: int
    text: str


@dataclass(frozen=True, slots=True)
class QueryStretch:
    """A stretch of the query; `piece` is what it names, or None between pieces."""

    text: str
    piece: QueryPiece | None


def query_pieces(query: str, hits: Iterable[Hit]) -> tuple[QueryPiece, ...]:
    """The pieces that boxes of these hits answer, in the order in which the query names them."""
    found: dict[str, str] = {}
    for hit in hits:
        for region in hit.regions:
            if region.answers:
                found.setdefault(region.answers.casefold(), region.answers)
    folded = query.casefold()
    order = sorted(found, key=lambda piece: (folded.find(piece) < 0, folded.find(piece)))
    return tuple(
        QueryPiece(number, (number - 1) % COLOURS, found[piece]) for number, piece in enumerate(order[:PIECES], 1)
    )


def number_of(region: object, pieces: Sequence[QueryPiece]) -> int | None:
    """The number of the piece that a matched region answers; None where it answers none."""
    answers = str(getattr(region, "answers", "")).casefold()
    return next((piece.number for piece in pieces if answers and piece.text.casefold() == answers), None)


def marked_query(query: str, pieces: Sequence[QueryPiece]) -> tuple[QueryStretch, ...]:
    """Cut a query where its pieces stand in it; a piece inside another one, or not in the query, is not marked."""
    # Not folded where that makes two letters of one: places would not fit.
    fold = str.lower if len(query.lower()) == len(query) else str
    places = [(fold(query).find(fold(piece.text)), piece) for piece in pieces]
    spans = sorted(
        ((start, piece) for start, piece in places if start >= 0), key=lambda one: (one[0], -len(one[1].text))
    )
    stretches: list[QueryStretch] = []
    cursor = 0
    for start, piece in spans:
        if start < cursor:
            continue
        end = start + len(piece.text)
        if start > cursor:
            stretches.append(QueryStretch(query[cursor:start], None))
        stretches.append(QueryStretch(query[start:end], piece))
        cursor = end
    if cursor < len(query):
        stretches.append(QueryStretch(query[cursor:], None))
    return tuple(stretches)
