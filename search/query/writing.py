"""Words that were read in pictures: which pictures have them, and how well they were read.

A word is looked for with a letter or two wrong (`search.db.spellings`). Several must follow each other in one line, or
go on at the beginning of the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import LINE, Catalogue
from search.db.annotations import text_bodies
from search.db.chunks import chunks
from search.db.schema import Region, TextBody
from search.db.spellings import words_alike
from search.errors import QueryError
from search.query.filter_values import Reading
from search.query.tree import Filter, Not
from search.words.folding import UNSPACED
from search.words.terms import written

MOST_WORDS = 12
"""Of one filter: a line of text."""

_ACROSS_LINES = 4_096
"""Pictures whose lines are read to see whether words go on from one line to the next; more have them side by side."""

PER_LETTER = 1.0
"""Nats that a wrong letter takes from a picture's score."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A word that is looked for: the words that were read and are it, and how many letters of each are wrong."""

    word: str
    alike: Mapping[str, int]


def read_writing(value: str, today: date) -> Reading:
    """Read the words of `text:`.

    Raises:
        QueryError: there is none, or there are more than a line has.
    """
    count = len(written(value))
    if not 0 < count <= MOST_WORDS:
        raise QueryError(
            f"text:{value} has {count} words", remedy=f'1 to {MOST_WORDS} can be looked for: text:"no parking".'
        )
    return Reading(value, f"“{value}” was read in it")


def wanted_words(session: Session, value: str) -> list[Wanted]:
    """The words of `text:` in their order; of scripts without blanks pairs of characters, which must be right."""
    words = [term.word for term in written(value)]
    alike = words_alike(session, [word for word in dict.fromkeys(words) if not UNSPACED.search(word)])
    return [Wanted(word, alike.get(word, {word: 0})) for word in words]


def written_in(session: Session, catalogue: Catalogue, value: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ascending rows of the pictures in which the words of `text:` were read, and how many letters are wrong there."""
    wanted = wanted_words(session, value)
    lines = [_lines_with(catalogue, one) for one in wanted]
    whole = lines[0]
    for some in lines[1:]:
        whole = np.intersect1d(whole, some, assume_unique=True)
    bodies = text_bodies(session, catalogue.doc_id[whole].tolist())
    wrong_of = {
        document: wrong_letters_in(written_words(bodies.get(int(catalogue.doc_id[document]), "")), wanted)
        for document in whole.tolist()
    }
    kept = np.array([document for document, wrong in wrong_of.items() if wrong is not None], np.int64)
    at, pictures = catalogue.images_of(kept)
    wrong = np.array([wrong_of[document] for document in kept.tolist()], np.int64)[at]
    if len(wanted) > 1:
        more, more_wrong = _across_lines(session, catalogue, wanted, lines, pictures)
        pictures, wrong = np.concatenate([pictures, more]), np.concatenate([wrong, more_wrong])
    order = np.lexsort((wrong, pictures))
    pictures, wrong = pictures[order], wrong[order]
    first = np.concatenate([[True], pictures[1:] != pictures[:-1]]) if len(pictures) else np.zeros(0, bool)
    return pictures[first], wrong[first]


def misread(session: Session, catalogue: Catalogue, filters: Sequence[Filter | Not]) -> NDArray[np.float32] | None:
    """`(pictures,)`: what wrong letters take from the score of each, at most 0; None where no `text:` is asked for."""
    taken: NDArray[np.float32] | None = None
    for one in filters:
        if isinstance(one, Filter) and one.name == "text":
            rows, wrong = written_in(session, catalogue, one.value.strip())
            taken = np.zeros(len(catalogue.images), np.float32) if taken is None else taken
            taken[rows] -= np.float32(PER_LETTER) * wrong
    return taken


def written_words(body: str) -> list[str]:
    """Words of a line in their order, as `text:` compares them."""
    return [term.word for term in written(body)]


def wrong_letters_in(words: Sequence[str], wanted: Sequence[Wanted]) -> int | None:
    """With how few wrong letters some words hold those that are wanted, side by side; None where they do not."""
    best: int | None = None
    for start in range(len(words) - len(wanted) + 1):
        wrong = 0
        for word, one in zip(words[start:], wanted, strict=False):
            if word not in one.alike:
                break
            wrong += one.alike[word]
        else:
            best = wrong if best is None else min(best, wrong)
    return best


def _lines_with(catalogue: Catalogue, wanted: Wanted) -> NDArray[np.int64]:
    """Ascending rows of the lines that hold a word, or one that is it but for a letter."""
    held = [catalogue.words.holding(word)[0].astype(np.int64) for word in wanted.alike]
    rows = np.unique(np.concatenate([np.empty(0, np.int64), *held]))
    found: NDArray[np.int64] = rows[catalogue.doc_kind[rows] == LINE]
    return found


def _across_lines(
    session: Session,
    catalogue: Catalogue,
    wanted: Sequence[Wanted],
    lines: Sequence[NDArray[np.int64]],
    known: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Other pictures that have all words, where they go on from one line to the next, and their wrong letters."""
    pictures = np.unique(catalogue.images_of(lines[0])[1])
    for some in lines[1:]:
        pictures = np.intersect1d(pictures, catalogue.images_of(some)[1])
    pictures = np.setdiff1d(pictures, known)[:_ACROSS_LINES]
    ids = catalogue.images[pictures].tolist()
    words: dict[int, list[str]] = {image_id: [] for image_id in ids}
    read = select(Region.image_id, TextBody.body).join(TextBody, TextBody.id == Region.text_id)
    for some_ids in chunks(ids):
        for image_id, body in session.execute(
            read.where(Region.image_id.in_(some_ids), Region.is_read).order_by(Region.image_id, Region.id)
        ):
            words[image_id] += written_words(body)
    wrong = [wrong_letters_in(words[image_id], wanted) for image_id in ids]
    kept = np.array([one is not None for one in wrong], bool)
    return pictures[kept], np.array([one for one in wrong if one is not None], np.int64)
