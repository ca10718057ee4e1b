"""Words in double quotes: the pictures with a text that holds them side by side, in this order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from search.catalogue.catalogue import LINE, TEXT, Catalogue
from search.db.annotations import text_bodies
from search.query.evidence import ALL_HELD, AskedText
from search.words.folding import split
from search.words.terms import terms

_NEARLY_PERFECT = 0.9
_TYPED_LEAST = 3
_TYPED_MOST = 256
"""A text that may be the query itself scores nearly like one; so many of them are read, of at least three words."""


def holding_rows(session: Session, catalogue: Catalogue, text: str) -> NDArray[np.int64]:
    """Ascending rows of the pictures with a text that holds these words, stop words included.

    Captions, phrases and lines of text are read to see the order of the words; a file or folder name counts by its
    words.
    """
    match = catalogue.match(terms(text))
    held = match.doc_rows[match.covered >= 0.999]
    is_text = np.isin(catalogue.doc_kind[held], (TEXT, LINE))
    wanted = list(split(text))
    text_rows = held[is_text]
    bodies = text_bodies(session, catalogue.doc_id[text_rows].tolist())
    ids = catalogue.doc_id[text_rows].tolist()
    ordered = np.array([_holds(list(split(bodies.get(one, ""))), wanted) for one in ids], bool)
    rows = np.concatenate([text_rows[ordered], held[~is_text]]) if len(ids) else held[~is_text]
    _, pictures = catalogue.images_of(rows)
    return np.unique(pictures)


def typed_rows(session: Session, catalogue: Catalogue, asked: AskedText) -> NDArray[np.int64]:
    """Ascending rows of the pictures with a text that is the query word for word; a word or two are no such text."""
    words = list(split(asked.text))
    same = asked.worded[(asked.covered >= ALL_HELD) & (asked.word_scores >= _NEARLY_PERFECT)]
    same = same[catalogue.doc_kind[same] == TEXT][:_TYPED_MOST]
    if len(words) < _TYPED_LEAST or len(same) == 0:
        return np.empty(0, np.int64)
    bodies = text_bodies(session, catalogue.doc_id[same].tolist())
    typed = [list(split(bodies.get(one, ""))) == words for one in catalogue.doc_id[same].tolist()]
    return np.unique(catalogue.images_of(same[np.array(typed, bool)])[1])


def _holds(words: list[str], wanted: list[str]) -> bool:
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words) - len(wanted) + 1))
